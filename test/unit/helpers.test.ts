import { priorBias, repeatFactors } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import { sigmoid } from '../reference/element';
import { expectRefused, wrong } from '../reference/harness';

const exact = { relative: 1e-15 };

describe('priorBias', () => {
  test.each([
    [0.01, -4.59511985013459],
    [0.001, -6.906754778648554],
    [0.5, 0],
    [0.75, 1.0986122886681098],
  ])('of %d is %d', (p, bias) => {
    expectClose('bias', priorBias(p), bias, { relative: 1e-14, absolute: 1e-16 });
  });

  test('is that of 0.01 by default', () => {
    expectSame('bias', priorBias(), priorBias(0.01));
  });

  test.each([1e-12, 1e-3, 0.3, 0.999])('gives a classifier that starts at %d', (p) => {
    expectClose('probability', sigmoid(priorBias(p)), p, { relative: 1e-12 });
  });

  test.each<[unknown]>([[0], [1], [-0.1], [1.5], [NaN], [Infinity], ['0.01'], [null]])(
    'refuses %p',
    (p) => {
      expectRefused(() => priorBias(wrong(p)), /./);
    },
  );
});

describe('repeatFactors', () => {
  test('repeats an image by its rarest class', () => {
    // Shares 1, 1/4 and 1/4 of four images; at threshold 1 the factors are 1, 2 and 2.
    const factors = repeatFactors([[0], [0, 1], [0], [0, 2]], { threshold: 1 });
    expectClose('factors', factors, [1, 2, 1, 2], exact);
  });

  test('takes the root of threshold over share', () => {
    const images = Array.from({ length: 100 }, (_, i) => (i === 0 ? [7, 3] : [3]));
    const factors = repeatFactors(images, { threshold: 0.09 });
    expectClose('rare', factors[0]!, 3, exact);
    expectSame('others', factors.subarray(1), new Float64Array(99).fill(1));
  });

  test('has threshold 0.001 by default', () => {
    const images = Array.from({ length: 4000 }, (_, i) => (i === 0 ? [1] : [0]));
    const factors = repeatFactors(images);
    expectClose('rare', factors[0]!, 2, exact);
    expectSame('default', factors, repeatFactors(images, { threshold: 0.001 }));
  });

  test('is never below 1', () => {
    expectSame('factors', repeatFactors([[0], [0], [1]], { threshold: 0.01 }), [1, 1, 1]);
  });

  test('counts a class once for each image', () => {
    const once = repeatFactors([[0], [1], [1], [1]], { threshold: 1 });
    const twice = repeatFactors([[0, 0, 0], [1], [1, 1], [1]], { threshold: 1 });
    expectSame('factors', twice, once);
    expectClose('factor', once[0]!, 2, exact);
  });

  test('gives 1 to an image without classes, which counts as an image', () => {
    expectClose('factors', repeatFactors([[], [5], [], []], { threshold: 1 }), [1, 2, 1, 1], exact);
  });

  test('of no images is empty', () => {
    expect(repeatFactors([])).toHaveLength(0);
  });

  test('takes class numbers however large', () => {
    expectClose('factors', repeatFactors([[1e9], []], { threshold: 1 }), [Math.SQRT2, 1], exact);
  });

  test('takes an image of very many classes', () => {
    const classes = Array.from({ length: 200_000 }, (_, i) => i);
    expectClose(
      'factors',
      repeatFactors([classes, [], [], []], { threshold: 1 }),
      [2, 1, 1, 1],
      exact,
    );
  });

  test.each<[string, unknown, unknown, RegExp]>([
    ['images that are no list', 'images', undefined, /^imageClasses/],
    ['no images', undefined, undefined, /^imageClasses/],
    ['an image that is no list', [[0], 3], undefined, /^imageClasses\[1\]/],
    ['an image that is missing', [[0], undefined], undefined, /^imageClasses\[1\]/],
    ['a class that is a text', [['cat']], undefined, /^imageClasses\[0\]/],
    ['a class that is a fraction', [[0.5]], undefined, /^imageClasses\[0\]/],
    ['a class of NaN', [[1], [NaN]], undefined, /^imageClasses\[1\]/],
    ['a threshold of 0', [[0]], { threshold: 0 }, /^threshold$/],
    ['a threshold below 0', [[0]], { threshold: -1 }, /^threshold$/],
    ['a threshold of NaN', [[0]], { threshold: NaN }, /^threshold$/],
    ['a threshold that is a text', [[0]], { threshold: '0.1' }, /^threshold$/],
    ['an unknown option', [[0]], { treshold: 0.1 }, /^treshold$/],
  ])('refuses %s', (_, images, options, argument) => {
    expectRefused(() => repeatFactors(wrong(images), wrong(options)), argument);
  });
});
