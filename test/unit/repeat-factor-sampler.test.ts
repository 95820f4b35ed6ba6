import fc from 'fast-check';
import {
  EflOutOfMemoryError,
  RepeatFactorSampler,
  repeatFactors,
  type RepeatFactorSamplerOptions,
  type SamplerState,
} from '../../lib';
import * as newArrays from '../../lib/tensors/new-arrays';
import { check } from '../properties/support';
import { expectSame } from '../reference/compare';
import { expectRefused, wrong } from '../reference/harness';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, ceil, floor, sqrt } = Math;

const factors = [1, 1.5, 2.25, 3, 1.75];

function samplerOf(options?: Partial<RepeatFactorSamplerOptions>): RepeatFactorSampler {
  return new RepeatFactorSampler({ repeatFactors: factors, ...options });
}

/** How often each image is in an epoch. */
function countsOf(indices: Int32Array, images: number): Int32Array {
  const counts = new Int32Array(images);
  for (const image of indices) counts[image]! += 1;
  return counts;
}

/** The next indices, read one by one. */
function read(sampler: RepeatFactorSampler, count: number): number[] {
  const indices: number[] = [];
  if (count === 0) return indices;
  for (const index of sampler) {
    indices.push(index);
    if (indices.length === count) break;
  }
  return indices;
}

function joined(parts: readonly ArrayLike<number>[]): number[] {
  return parts.flatMap((part) => Array.from(part));
}

const anyFactors = fc.array(
  fc.oneof(fc.double({ min: 1, max: 8, noNaN: true }), fc.integer({ min: 1, max: 8 })),
  { minLength: 1, maxLength: 12 },
);
const anySeed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyEpoch = fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat());
const anyOptions = fc.record({
  repeatFactors: anyFactors,
  seed: anySeed,
  shuffle: fc.boolean(),
});

describe('an epoch', () => {
  // The first is sfc32 of three words 0; 2^32 + 2 has the words 2 and 1. PractRand prints these.
  test.each([
    [0, [0xfb52c520, 0x38802be1, 0x948279e6, 0xec4bf1d9]],
    [2 ** 32 + 2, [0x03b80bb8, 0xa87dbc7e, 0x1787178c, 0x4c7b7234]],
  ])('numbered %d rounds by the numbers of the published generator', (epoch, drawn) => {
    // An image appears once more if the number drawn for it is below the fraction of its factor.
    const counts = (least: number): Int32Array => {
      const repeated = drawn.map((number) => 1 + (number + least) / 2 ** 32);
      return countsOf(samplerOf({ repeatFactors: repeated }).epoch(epoch), 4);
    };
    expectSame('at the number', counts(0), [1, 1, 1, 1]);
    expectSame('just above it', counts(1), [2, 2, 2, 2]);
  });

  test.each([
    [0, 0, [3, 0, 3, 2, 4, 1, 1, 3, 4, 2]],
    [0, 1, [3, 3, 2, 4, 1, 0, 3, 2, 1]],
    [20190617, 7, [3, 4, 2, 4, 1, 0, 1, 2, 3, 3]],
    [2 ** 32 - 1, 2 ** 40 + 3, [4, 0, 3, 4, 2, 3, 1, 2, 1, 3]],
  ])('of seed %d and number %d is what another implementation makes', (seed, epoch, expected) => {
    expectSame('epoch', samplerOf({ seed }).epoch(epoch), expected);
  });

  test('draws again where a number would make some places of a long epoch likelier', () => {
    // From the same other implementation, which draws again 64 times. The front is shuffled last.
    const sampler = samplerOf({ repeatFactors: new Float64Array(1_000_000).fill(1) });
    expectSame('front', sampler.epoch(0).subarray(0, 5), [143255, 655432, 717038, 552989, 737686]);
  });

  test('has every image once where all factors are 1', () => {
    const epoch = samplerOf({ repeatFactors: new Float64Array(100).fill(1) }).epoch(3);
    expectSame(
      'images',
      epoch.sort(),
      Int32Array.from({ length: 100 }, (_, image) => image),
    );
  });

  test('has an image of a whole factor exactly that often', () => {
    const sampler = samplerOf({ repeatFactors: [2, 1, 5] });
    for (let epoch = 0; epoch < 50; epoch += 1) {
      expectSame('counts', countsOf(sampler.epoch(epoch), 3), [2, 1, 5]);
    }
  });

  test('takes the factors that repeatFactors gives', () => {
    const sampler = samplerOf({ repeatFactors: repeatFactors([[0], [0, 1], [0], []]) });
    expectSame('images', sampler.epoch(0).sort(), [0, 1, 2, 3]);
  });

  test('ascends without shuffling', () => {
    const sampler = samplerOf({ shuffle: false });
    expectSame('epoch', sampler.epoch(0), [0, 1, 1, 2, 2, 3, 3, 3, 4, 4]);
  });

  test('is shuffled by default', () => {
    expectSame('epoch', samplerOf().epoch(5), samplerOf({ shuffle: true }).epoch(5));
  });

  test('has seed 0 by default', () => {
    expectSame('epoch', samplerOf().epoch(5), samplerOf({ seed: 0 }).epoch(5));
  });

  test('is every order of its images equally often', () => {
    const sampler = samplerOf({ repeatFactors: [1, 1, 1, 1], seed: 3 });
    const seen = new Map<string, number>();
    for (let epoch = 0; epoch < 24_000; epoch += 1) {
      const order = sampler.epoch(epoch).join();
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    // Five standard deviations of a count whose mean is 1,000.
    for (const count of seen.values()) expect(abs(count - 1000)).toBeLessThan(5 * sqrt(1000));
  });

  test('leaves the factors it was made from to the caller', () => {
    const own = [1, 1, 1];
    const sampler = samplerOf({ repeatFactors: own, shuffle: false });
    own[0] = 7;
    expectSame('epoch', sampler.epoch(0), [0, 1, 2]);
  });

  test('is an array of its own, which the caller may change', () => {
    const sampler = samplerOf();
    const expected = sampler.epoch(0).slice();
    sampler.epoch(0).fill(0);
    expectSame('epoch', sampler.take(expected.length), expected);
  });

  test('does not move the position', () => {
    const sampler = samplerOf();
    sampler.take(3);
    const before = sampler.stateDict();
    sampler.epoch(9);
    expect(sampler.stateDict()).toEqual(before);
  });

  test('has each image as often as its factor, rounded down or up', () => {
    check(
      fc.property(anyOptions, anyEpoch, (options, epoch) => {
        const images = options.repeatFactors.length;
        const counts = countsOf(samplerOf(options).epoch(epoch), images);
        options.repeatFactors.forEach((factor, image) => {
          expect([floor(factor), ceil(factor)]).toContain(counts[image]);
        });
      }),
    );
  });

  test('has each image as often as its factor on average', () => {
    const epochs = 2000;
    check(
      fc.property(anyFactors, anySeed, (given, seed) => {
        const sampler = samplerOf({ repeatFactors: given, seed });
        const sums = new Float64Array(given.length);
        for (let epoch = 0; epoch < epochs; epoch += 1) {
          for (const image of sampler.epoch(epoch)) sums[image]! += 1;
        }
        given.forEach((factor, image) => {
          // Five standard deviations of a mean of coin tosses; whole factors have none.
          const fraction = factor - floor(factor);
          const allowed = 5 * sqrt((fraction * (1 - fraction)) / epochs) + 1 / epochs;
          expect(abs(sums[image]! / epochs - factor)).toBeLessThanOrEqual(allowed);
        });
      }),
      25,
    );
  });

  test('is the same for the same seed and number, whatever was made before', () => {
    check(
      fc.property(anyOptions, anyEpoch, anyEpoch, (options, epoch, other) => {
        const sampler = samplerOf(options);
        sampler.epoch(other);
        sampler.take(5);
        expectSame('epoch', sampler.epoch(epoch), samplerOf(options).epoch(epoch));
      }),
    );
  });

  test('has the same images with shuffling and without', () => {
    check(
      fc.property(anyFactors, anySeed, anyEpoch, (given, seed, epoch) => {
        const shuffled = samplerOf({ repeatFactors: given, seed }).epoch(epoch);
        const plain = samplerOf({ repeatFactors: given, seed, shuffle: false }).epoch(epoch);
        expectSame('images', shuffled.sort(), plain);
      }),
    );
  });

  test('differs from that of another seed or number', () => {
    const many = { repeatFactors: new Float64Array(40).fill(1) };
    check(
      fc.property(anySeed, anyEpoch, fc.nat({ max: 31 }), (seed, epoch, bit) => {
        const own = samplerOf({ ...many, seed })
          .epoch(epoch)
          .join();
        const otherSeed = (seed ^ (1 << bit)) >>> 0;
        const otherEpoch = epoch < 2 ** 52 ? epoch + 2 ** bit : epoch - 2 ** bit;
        expect(
          samplerOf({ ...many, seed: otherSeed })
            .epoch(epoch)
            .join(),
        ).not.toBe(own);
        expect(
          samplerOf({ ...many, seed })
            .epoch(otherEpoch)
            .join(),
        ).not.toBe(own);
      }),
    );
  });

  test.each<[unknown]>([[-1], [0.5], [NaN], [2 ** 53], ['0'], [undefined], [null], [1n]])(
    'is refused for the number %p',
    (epoch) => {
      expectRefused(() => samplerOf().epoch(wrong(epoch)), 'epoch');
    },
  );
});

describe('the share of a worker', () => {
  test('is every size-th index from its rank on', () => {
    const whole = samplerOf().epoch(0);
    expect(whole).toHaveLength(10);
    const expected = [whole[1], whole[4], whole[7]] as number[];
    expectSame('share', samplerOf().epoch(0, { rank: 1, size: 3 }), expected);
  });

  test('of one worker is the whole epoch', () => {
    expectSame('share', samplerOf().epoch(2, { rank: 0, size: 1 }), samplerOf().epoch(2));
  });

  test('is empty where there are more workers than indices', () => {
    expect(samplerOf().epoch(0, { rank: 0, size: 11 })).toHaveLength(0);
  });

  test('is with the others the epoch, but for a remainder smaller than their number', () => {
    const sizes = fc.integer({ min: 1, max: 9 });
    check(
      fc.property(anyOptions, anyEpoch, sizes, (options, epoch, size) => {
        const sampler = samplerOf(options);
        const whole = sampler.epoch(epoch);
        const shares = Array.from({ length: size }, (_, rank) =>
          sampler.epoch(epoch, { rank, size }),
        );
        const length = floor(whole.length / size);
        for (const share of shares) expect(share).toHaveLength(length);
        const dealt = Array.from(
          { length: length * size },
          (_, place) => shares[place % size]![floor(place / size)]!,
        );
        expectSame('epoch', dealt, whole.subarray(0, length * size));
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ['a rank below 0', { rank: -1, size: 2 }, 'rank'],
    ['a rank as large as the size', { rank: 2, size: 2 }, 'rank'],
    ['a rank that is a fraction', { rank: 0.5, size: 2 }, 'rank'],
    ['no rank', { size: 2 }, 'rank'],
    ['a size of 0', { rank: 0, size: 0 }, 'size'],
    ['no size', { rank: 0 }, 'size'],
    ['a size that is a text', { rank: 0, size: '2' }, 'size'],
    ['an unknown name', { rank: 0, size: 2, world: 2 }, 'world'],
    ['a number', 2, 'share'],
    ['null', null, 'share'],
  ])('is refused for %s', (_, share, argument) => {
    expectRefused(() => samplerOf().epoch(0, wrong(share)), argument);
  });
});

describe('reading', () => {
  test('goes through the epochs from 0 on', () => {
    const sampler = samplerOf();
    const expected = joined([0, 1, 2].map((epoch) => sampler.epoch(epoch)));
    expectSame('indices', sampler.take(expected.length), expected);
    expect(sampler.stateDict()).toMatchObject({ epoch: 3, position: 0 });
  });

  test('gives a batch as 32-bit integers', () => {
    const batch = samplerOf().take(4);
    expect(batch).toBeInstanceOf(Int32Array);
    expect(batch).toHaveLength(4);
  });

  test('gives nothing where nothing is asked for', () => {
    const sampler = samplerOf();
    expect(sampler.take(0)).toHaveLength(0);
    expect(sampler.stateDict()).toMatchObject({ epoch: 0, position: 0 });
  });

  test('goes on in a second loop where the first one ended', () => {
    const sampler = samplerOf();
    const expected = samplerOf().take(7);
    expectSame('indices', joined([read(sampler, 3), read(sampler, 4)]), expected);
  });

  test('counts an index as handed out while the loop looks at it', () => {
    const sampler = samplerOf();
    for (const index of sampler) {
      expect(index).toBe(sampler.epoch(0)[0]);
      expect(sampler.stateDict().position).toBe(1);
      break;
    }
  });

  test('gives the same indices one by one and in batches of any size', () => {
    const sizes = fc.array(fc.nat({ max: 40 }), { maxLength: 6 });
    check(
      fc.property(anyOptions, sizes, (options, counts) => {
        const batches = samplerOf(options);
        const single = samplerOf(options);
        for (const count of counts) {
          expectSame('indices', batches.take(count), read(single, count));
          expect(batches.stateDict()).toEqual(single.stateDict());
        }
      }),
    );
  });

  test.each<[unknown]>([[-1], [1.5], [NaN], [2 ** 31], ['4'], [undefined], [null]])(
    'refuses the count %p and stays where it is',
    (count) => {
      const sampler = samplerOf();
      sampler.take(3);
      const before = sampler.stateDict();
      expectRefused(() => sampler.take(wrong(count)), 'count');
      expect(sampler.stateDict()).toEqual(before);
    },
  );
});

describe('a saved state', () => {
  test('says where the sampler stands', () => {
    const sampler = samplerOf({ seed: 9, shuffle: false });
    sampler.take(sampler.epoch(0).length + 2);
    const expected = { seed: 9, epoch: 1, position: 2, shuffle: false, images: 5 };
    expect(sampler.stateDict()).toEqual(expected);
  });

  test('of a new sampler is the start of epoch 0', () => {
    const expected = { seed: 0, epoch: 0, position: 0, shuffle: true, images: 5 };
    expect(samplerOf().stateDict()).toEqual(expected);
  });

  test('is a copy that later reading does not change', () => {
    const sampler = samplerOf();
    const state = sampler.stateDict();
    sampler.take(3);
    expect(state.position).toBe(0);
  });

  test('makes another sampler go on exactly where this one would have', () => {
    check(
      fc.property(anyOptions, anySeed, fc.nat({ max: 100 }), (options, otherSeed, taken) => {
        const saved = samplerOf(options);
        saved.take(taken);
        const state = JSON.parse(JSON.stringify(saved.stateDict())) as SamplerState;
        const resumed = samplerOf({ repeatFactors: options.repeatFactors, seed: otherSeed });
        resumed.take(17);
        resumed.loadStateDict(state);
        expect(resumed.stateDict()).toEqual(state);
        expectSame('indices', resumed.take(60), saved.take(60));
        expectSame('epoch', resumed.epoch(4), saved.epoch(4));
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ['of another number of images', { images: 4 }, 'state.images'],
    ['without a number of images', { images: undefined }, 'state.images'],
    ['with a seed below 0', { seed: -1 }, 'state.seed'],
    ['with a seed beyond 32 bits', { seed: 2 ** 32 }, 'state.seed'],
    ['without a seed', { seed: undefined }, 'state.seed'],
    ['with an epoch below 0', { epoch: -1 }, 'state.epoch'],
    ['with an epoch that is a fraction', { epoch: 0.5 }, 'state.epoch'],
    ['without an epoch', { epoch: undefined }, 'state.epoch'],
    ['with a position below 0', { position: -1 }, 'state.position'],
    ['with a position past the end of its epoch', { position: 10 }, 'state.position'],
    ['with a position that is a text', { position: '1' }, 'state.position'],
    ['without a position', { position: undefined }, 'state.position'],
    ['with a shuffle that is a number', { shuffle: 1 }, 'state.shuffle'],
    ['without a shuffle', { shuffle: undefined }, 'state.shuffle'],
  ])('%s is refused, and nothing changes', (_, change, argument) => {
    const state = { seed: 0, epoch: 0, position: 9, shuffle: true, images: 5 };
    const sampler = samplerOf({ seed: 8 });
    sampler.take(3);
    const before = sampler.stateDict();
    const changed = wrong({ ...state, ...(change as object) });
    expectRefused(() => {
      sampler.loadStateDict(changed);
    }, argument);
    expect(sampler.stateDict()).toEqual(before);
    expectSame('indices', sampler.take(20), samplerOf({ seed: 8 }).take(23).subarray(3));
  });

  test.each<[unknown]>([[undefined], [null], [3], ['{}']])('is refused where it is %p', (state) => {
    expectRefused(() => {
      samplerOf().loadStateDict(wrong(state));
    }, 'state');
  });
});

describe('a new sampler', () => {
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'options'],
    ['options that are a list', [1, 2], 'options'],
    ['an unknown option', { repeatFactors: [1], sead: 1 }, 'sead'],
    ['no factors', {}, 'repeatFactors'],
    ['factors that are a text', { repeatFactors: '11' }, 'repeatFactors'],
    ['a list without factors', { repeatFactors: [] }, 'repeatFactors'],
    ['a factor below 1', { repeatFactors: [1, 0.5] }, 'repeatFactors[1]'],
    ['a factor of NaN', { repeatFactors: [NaN] }, 'repeatFactors[0]'],
    ['a factor of Infinity', { repeatFactors: [Infinity] }, 'repeatFactors[0]'],
    ['a factor that is a text', { repeatFactors: [1, 1, '2'] }, 'repeatFactors[2]'],
    ['a hole in the factors', { repeatFactors: new Array(2) }, 'repeatFactors[0]'],
    ['factors that make too long an epoch', { repeatFactors: [2 ** 31 - 1, 1] }, 'repeatFactors'],
    ['a seed below 0', { repeatFactors: [1], seed: -1 }, 'seed'],
    ['a seed beyond 32 bits', { repeatFactors: [1], seed: 2 ** 32 }, 'seed'],
    ['a seed that is a fraction', { repeatFactors: [1], seed: 0.5 }, 'seed'],
    ['a seed of null', { repeatFactors: [1], seed: null }, 'seed'],
    ['a shuffle that is a number', { repeatFactors: [1], shuffle: 1 }, 'shuffle'],
  ])('refuses %s', (_, options, argument) => {
    expectRefused(() => new RepeatFactorSampler(wrong(options)), argument);
  });

  test('takes options spelt out as undefined', () => {
    const sampler = samplerOf({ seed: undefined, shuffle: undefined });
    expect(sampler.stateDict()).toEqual(samplerOf().stateDict());
  });

  test('does not draw an epoch before it is needed', () => {
    // The epoch would take 8 GiB.
    const sampler = samplerOf({ repeatFactors: [2 ** 31 - 1] });
    expect(sampler.stateDict()).toMatchObject({ epoch: 0, position: 0, images: 1 });
  });
});

describe('an epoch that finds no memory', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Arrays after the first so many find none. */
  function leaveMemoryFor(arrays: number): void {
    const make = newArrays.newInt32Array;
    let made = 0;
    jest.spyOn(newArrays, 'newInt32Array').mockImplementation((length, what) => {
      if (++made > arrays) throw new EflOutOfMemoryError(what);
      return make(length, what);
    });
  }

  test.each([0, 1, 2, 3, 4])('leaves take where it was, %d arrays after its start', (arrays) => {
    const sampler = samplerOf({ repeatFactors: [1, 1, 1] });
    const expected = samplerOf({ repeatFactors: [1, 1, 1] }).take(9);
    expectSame('before', sampler.take(2), expected.slice(0, 2));
    const before = sampler.stateDict();
    leaveMemoryFor(arrays);
    expect(() => sampler.take(7)).toThrow(EflOutOfMemoryError);
    jest.restoreAllMocks();
    expect(sampler.stateDict()).toEqual(before);
    expectSame('after', sampler.take(7), expected.slice(2));
  });
});
