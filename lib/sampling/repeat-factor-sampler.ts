import { types } from 'node:util';
import { newInt32Array } from '../tensors/new-arrays';
import { booleanOption, checkInteger, knownOptions, reject } from '../validation';
import { generatorOf, maxUint32 } from './random';

/** Options of {@link RepeatFactorSampler}. */
export interface RepeatFactorSamplerOptions {
  /**
   * r, one factor for each image, from {@link repeatFactors}: at least one, each finite and >= 1, and
   * an epoch of at most 2^31 - 1 indices. Copied. Required.
   */
  readonly repeatFactors: Float64Array | readonly number[];
  /** Which of 2^32 sequences of epochs. Integer from 0 to 2^32 - 1. Default 0. */
  readonly seed?: number | undefined;
  /** Whether an epoch is shuffled; if not, its indices ascend. Default true. */
  readonly shuffle?: boolean | undefined;
}

/** The part of an epoch that one of several data-parallel workers sees. */
export interface EpochShare {
  /** Which worker. Integer from 0 to size - 1. */
  readonly rank: number;
  /** Number of workers. Integer >= 1. */
  readonly size: number;
}

/** Where a sampler stands, as plain values that survive JSON. */
export interface SamplerState {
  readonly seed: number;
  /** Number of the epoch that the next index is from. */
  readonly epoch: number;
  /** Indices of that epoch that have been handed out. */
  readonly position: number;
  readonly shuffle: boolean;
  /** Number of images. */
  readonly images: number;
}

/** Places in an epoch, like the indices in it, stay within an Int32Array. */
const maxIndices = 2 ** 31 - 1;

/**
 * Repeat factor sampling (Gupta et al., LVIS, CVPR 2019): image indices in which image i appears
 * r(i) times an epoch on average.
 *
 * In each epoch image i appears floor(r(i)) times, and once more with probability r(i) - floor(r(i)),
 * drawn anew for each epoch, as in detectron2's `RepeatFactorTrainingSampler`. (mmdetection's
 * `ClassBalancedDataset` always rounds up.) Then the epoch is shuffled. What is in it and in which
 * order follows from the factors, the seed and its number alone, on every machine.
 *
 * Reading goes through the epochs from 0 on, without an end, either by {@link take} or by iterating;
 * both move the one position that {@link stateDict} saves.
 *
 * ```ts
 * const sampler = new RepeatFactorSampler({ repeatFactors: repeatFactors(imageClasses), seed: 1 });
 * const batch = sampler.take(16); // indices of images
 * ```
 */
export class RepeatFactorSampler implements Iterable<number> {
  readonly #factors: Float64Array;
  #seed: number;
  #shuffle: boolean;
  #epoch = 0;
  #position = 0;
  /** The indices of the current epoch, from when the first of them is needed. */
  #current: Int32Array | undefined;

  /** @throws {@link EflArgumentError} for an option out of its range, missing or unknown. */
  constructor(options: RepeatFactorSamplerOptions) {
    if (options === undefined) reject('options', 'an object with repeatFactors', options);
    const names = ['repeatFactors', 'seed', 'shuffle'];
    const { repeatFactors, seed = 0, shuffle } = knownOptions('options', options, names);
    this.#factors = checkFactors(repeatFactors);
    this.#seed = checkInteger('seed', seed, 0, maxUint32);
    this.#shuffle = booleanOption('shuffle', shuffle, true);
  }

  /**
   * The image indices of one epoch: as many as the rounded factors add up to. Neither uses nor moves
   * the position.
   *
   * With `share`, what the worker `rank` of `size` sees: every size-th index, from place `rank` on.
   * All workers see parts of the same epoch that have no place in common (a repeated image has several
   * places) and are equally long: the last (length modulo size) indices are dropped, for all of them.
   * Every worker needs the same factors and seed.
   *
   * @param epoch its number, an integer >= 0.
   * @throws {@link EflArgumentError} for a number out of its range.
   */
  epoch(epoch: number, share?: EpochShare): Int32Array {
    checkInteger('epoch', epoch, 0);
    const checked = share === undefined ? undefined : checkShare(share);
    const indices = drawEpoch(this.#factors, this.#seed, epoch, this.#shuffle);
    return checked === undefined ? indices : shareOf(indices, checked);
  }

  /**
   * The next `count` indices, across the ends of epochs.
   *
   * @param count an integer from 0 to 2^31 - 1.
   * @throws {@link EflArgumentError} for a count out of its range, {@link EflOutOfMemoryError} where
   * there is no memory for the indices or an epoch; the position has not moved then.
   */
  take(count: number): Int32Array {
    checkInteger('count', count, 0, maxIndices);
    const taken = newInt32Array(count);
    let [epoch, position, current] = [this.#epoch, this.#position, this.#current];
    for (let filled = 0; filled < count;) {
      current ??= drawEpoch(this.#factors, this.#seed, epoch, this.#shuffle);
      const part = current.subarray(position, position + count - filled);
      taken.set(part, filled);
      filled += part.length;
      position += part.length;
      if (position === current.length) [epoch, position, current] = [epoch + 1, 0, undefined];
    }
    // Only now: an epoch that finds no memory leaves everything as it was.
    [this.#epoch, this.#position, this.#current] = [epoch, position, current];
    return taken;
  }

  /** Index after index, without an end. An index counts as handed out once the loop has it. */
  *[Symbol.iterator](): Generator<number, never, undefined> {
    for (;;) {
      const current = this.#indices();
      const index = current[this.#position]!;
      this.#position += 1;
      if (this.#position === current.length) {
        this.#epoch += 1;
        this.#position = 0;
        this.#current = undefined;
      }
      yield index;
    }
  }

  /** Where the sampler stands. The factors are not in it. */
  stateDict(): SamplerState {
    return {
      seed: this.#seed,
      epoch: this.#epoch,
      position: this.#position,
      shuffle: this.#shuffle,
      images: this.#factors.length,
    };
  }

  /**
   * Goes on exactly where the sampler of this state would have, with its seed and its `shuffle`. This
   * sampler must have been made with the same factors.
   *
   * @throws {@link EflArgumentError} for a state of another number of images, or with a value that is
   * missing or out of its range; the sampler has not changed then.
   */
  loadStateDict(state: SamplerState): void {
    if (typeof state !== 'object' || state === null) {
      reject('state', 'an object with seed, epoch, position, shuffle, images', state);
    }
    const { seed, epoch, position, shuffle, images } = state;
    if (images !== this.#factors.length) {
      reject('state.images', `${this.#factors.length}, as this sampler has`, images);
    }
    checkInteger('state.seed', seed, 0, maxUint32);
    checkInteger('state.epoch', epoch, 0);
    if (typeof shuffle !== 'boolean') reject('state.shuffle', 'true or false', shuffle);
    // Only the epoch itself says how long it is.
    const indices = drawEpoch(this.#factors, seed, epoch, shuffle);
    checkInteger('state.position', position, 0, indices.length - 1);
    this.#seed = seed;
    this.#shuffle = shuffle;
    this.#epoch = epoch;
    this.#position = position;
    this.#current = indices;
  }

  #indices(): Int32Array {
    this.#current ??= drawEpoch(this.#factors, this.#seed, this.#epoch, this.#shuffle);
    return this.#current;
  }
}

function drawEpoch(
  factors: Float64Array,
  seed: number,
  epoch: number,
  shuffle: boolean,
): Int32Array {
  const random = generatorOf(seed, epoch);
  const repeats = newInt32Array(factors.length, 'The epoch');
  factors.forEach((factor, image) => {
    const whole = Math.floor(factor);
    repeats[image] = random() / 2 ** 32 < factor - whole ? whole + 1 : whole;
  });
  const length = repeats.reduce((sum, count) => sum + count, 0);
  const indices = newInt32Array(length, 'The epoch');
  let end = 0;
  repeats.forEach((count, image) => {
    indices.fill(image, end, end + count);
    end += count;
  });
  if (shuffle) shuffleInPlace(indices, random);
  return indices;
}

/** Fisher and Yates: every order is equally likely. */
function shuffleInPlace(indices: Int32Array, random: () => number): void {
  for (let last = indices.length - 1; last > 0; last -= 1) {
    const chosen = integerBelow(last + 1, random);
    const index = indices[chosen]!;
    indices[chosen] = indices[last]!;
    indices[last] = index;
  }
}

/** Uniform in 0..bound-1. */
function integerBelow(bound: number, random: () => number): number {
  // Numbers past the last multiple of the bound would make the small remainders more likely.
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const drawn = random();
    if (drawn < limit) return drawn % bound;
  }
}

function shareOf(indices: Int32Array, { rank, size }: EpochShare): Int32Array {
  const share = newInt32Array(Math.floor(indices.length / size), 'The share');
  for (let place = 0; place < share.length; place++) share[place] = indices[place * size + rank]!;
  return share;
}

function checkShare(value: EpochShare): EpochShare {
  const { rank, size } = knownOptions('share', value, ['rank', 'size']);
  const workers = checkInteger('size', size, 1);
  return { rank: checkInteger('rank', rank, 0, workers - 1), size: workers };
}

function checkFactors(value: unknown): Float64Array {
  if (!types.isFloat64Array(value) && !Array.isArray(value)) {
    reject('repeatFactors', 'a Float64Array or an array of numbers', value);
  }
  // Array.from, unlike Float64Array.from, checks as it reads: a long list of holes ends at once.
  const factors = Float64Array.from(
    Array.from(value as ArrayLike<unknown>, (factor, image) => {
      if (typeof factor !== 'number' || !(factor >= 1 && factor < Infinity)) {
        reject(`repeatFactors[${image}]`, 'a finite number >= 1', factor);
      }
      return factor;
    }),
  );
  // Without an image no epoch would ever hand out an index.
  if (factors.length === 0) reject('repeatFactors', 'at least one factor', value);
  const longest = factors.reduce((sum, factor) => sum + Math.ceil(factor), 0);
  if (longest > maxIndices) {
    reject('repeatFactors', `factors that, rounded up, add up to at most ${maxIndices}`, value);
  }
  return factors;
}
