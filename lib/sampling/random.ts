/** The last of the seeds. */
export const maxUint32 = 2 ** 32 - 1;

/**
 * Uniform integers in 0..2^32-1, others for every seed from 0 to 2^32 - 1 and every number of an epoch
 * or a step, which is an integer >= 0.
 */
export function generatorOf(seed: number, turn: number): () => number {
  return sfc32(seed, turn >>> 0, Math.floor(turn / 2 ** 32));
}

/** Uniform in [0, 1), of 53 bits: two integers of a generator. */
export function uniform(random: () => number): number {
  const high = random() >>> 5;
  return (high * 2 ** 26 + (random() >>> 6)) / 2 ** 53;
}

/**
 * sfc32, from Doty-Humphrey's PractRand, with its seeding by three 32-bit words: uniform integers in
 * 0..2^32-1. `Math.random` can neither be seeded nor is it the same in every engine; this is 32-bit
 * integer arithmetic, which is.
 */
function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1;
  const next = (): number => {
    const drawn = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + drawn) >>> 0;
    return drawn;
  };
  // After these, seeds that differ in one bit have nothing in common any more.
  for (let round = 0; round < 15; round += 1) next();
  return next;
}
