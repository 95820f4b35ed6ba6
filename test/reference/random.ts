// As constants: a look at a global is slow in the sandbox of the test runner.
const { cos, floor, imul, log, PI, sqrt } = Math;

/** A small seeded generator (mulberry32): the same seed gives the same numbers everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = imul(t ^ (t >>> 15), t | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  uniform(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** An integer in [0, count). */
  integer(count: number): number {
    return floor(this.next() * count);
  }

  normal(mean = 0, deviation = 1): number {
    const radius = sqrt(-2 * log(1 - this.next()));
    return mean + deviation * radius * cos(2 * PI * this.next());
  }

  /** The integers 0..count-1 in random order. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i -= 1) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}
