/** Deals out shuffled batches, epoch after epoch, each image mirrored or not by chance. */
import { CELLS, mirroredCell } from '../data/geometry.ts';
import { Random } from '../data/random.ts';
import { FEATURES } from '../model/feature-size.ts';

/** Features of the frozen backbone for all training images, in shared memory. */
export interface TrainingData {
  readonly images: number;
  readonly plain: Float32Array;
  readonly mirrored: Float32Array;
  readonly labels: Int32Array;
}

export interface Batch {
  features: Float32Array;
  labels: Int32Array;
  /** Cells with a class. */
  positives: number;
}

/** Where the sampler is: enough to go on exactly there. */
export interface SamplerState {
  random: number;
  /** Images still to come in this epoch, the next one last. */
  remaining: Int32Array;
}

const VALUES_PER_IMAGE = CELLS * FEATURES;

export class BatchSampler {
  private readonly data: TrainingData;
  private readonly batchSize: number;
  private random: Random;
  private remaining: number[] = [];

  constructor(data: TrainingData, batchSize: number, seed: number) {
    this.data = data;
    this.batchSize = batchSize;
    this.random = new Random(seed);
  }

  get state(): SamplerState {
    return { random: this.random.position, remaining: Int32Array.from(this.remaining) };
  }

  set state({ random, remaining }: SamplerState) {
    this.random = new Random(random);
    this.remaining = [...remaining];
  }

  next(): Batch {
    const features = new Float32Array(this.batchSize * VALUES_PER_IMAGE);
    const labels = new Int32Array(this.batchSize * CELLS);
    for (let k = 0; k < this.batchSize; k++) {
      const image = this.nextImage();
      const mirrored = this.random.next() < 0.5;
      const source = mirrored ? this.data.mirrored : this.data.plain;
      const begin = image * VALUES_PER_IMAGE;
      features.set(source.subarray(begin, begin + VALUES_PER_IMAGE), k * VALUES_PER_IMAGE);
      for (let cell = 0; cell < CELLS; cell++) {
        const from = image * CELLS + (mirrored ? mirroredCell(cell) : cell);
        labels[k * CELLS + cell] = this.data.labels[from];
      }
    }
    const positives = labels.reduce((count, label) => count + (label > 0 ? 1 : 0), 0);
    return { features, labels, positives };
  }

  private nextImage(): number {
    if (this.remaining.length === 0) {
      this.remaining = this.random.shuffle([...Array(this.data.images).keys()]);
    }
    return this.remaining.pop()!;
  }
}
