import { inspect } from 'node:util';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import { expectRefused, makeSample, valuesOf, wrong } from '../reference/harness';

type Case = [what: string, values: Record<string, unknown>, argument: RegExp];

/** One case for each value of an option. */
function cases(option: string, values: readonly unknown[], rest: object = {}): Case[] {
  return values.map((value) => [
    `${option} ${typeof value} ${show(value)}`,
    { ...rest, [option]: value },
    new RegExp(`^${option}`),
  ]);
}

function show(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : inspect(value);
}

const NOT_FINITE = [NaN, Infinity, -Infinity];
const NOT_NUMBERS = ['1', null, true, {}, [1], 1n];

const OPTIONS: Case[] = [
  ['no numClasses', {}, /^numClasses$/],
  ...cases('numClasses', [0, -1, 1.5, 2 ** 53, undefined, ...NOT_FINITE, ...NOT_NUMBERS]),
  ...cases('gamma', [-1, -1e-9, ...NOT_FINITE, ...NOT_NUMBERS], { numClasses: 3 }),
  ...cases('alpha', [1.0001, 2, NaN, Infinity, ...NOT_NUMBERS], { numClasses: 3 }),
  ...cases('background', ['middle', 'First', '', 0, null, true], { numClasses: 3 }),
  ...cases('ignoreIndex', [1.5, NaN, '-1', null, {}, 2 ** 31, [-1, 0.5], [null]], {
    numClasses: 3,
  }),
  ...cases('reduction', ['avg', 'Sum', '', null, 1], { numClasses: 3 }),
  ...cases('lossWeight', [...NOT_FINITE, ...NOT_NUMBERS], { numClasses: 3 }),
  ...cases('device', ['gpu', 'CPU', '', 'cuda:x', 'cuda:-1', 0, null], { numClasses: 3 }),
  ...cases('communicator', [{}], { numClasses: 3 }),
  ...cases('numclasses', [3], { numClasses: 3 }),
  ...cases('gama', [2], { numClasses: 3 }),
];

const EQUALIZED_OPTIONS: Case[] = [
  ...cases('gamma', [0, -0], { numClasses: 3 }),
  ...cases('scaleFactor', [-1, ...NOT_FINITE, ...NOT_NUMBERS], { numClasses: 3 }),
];

describe('the options of a criterion', () => {
  test.each<Case>(OPTIONS)('of Focal Loss may not be %s', (_, options, argument) => {
    expectRefused(() => new FocalLoss(wrong(options)), argument);
  });

  test.each<Case>([...OPTIONS, ...EQUALIZED_OPTIONS])(
    'of Equalized Focal Loss may not be %s',
    (_, options, argument) => {
      expectRefused(() => new EqualizedFocalLoss(wrong(options)), argument);
    },
  );

  test.each([[undefined], [null], [3], ['3'], [[]]])('may not be %p altogether', (options) => {
    expectRefused(() => new FocalLoss(wrong(options)), /./);
    expectRefused(() => new EqualizedFocalLoss(wrong(options)), /./);
  });

  test('may be at the ends of their ranges', () => {
    for (const options of [
      { numClasses: 1 },
      { numClasses: 3, gamma: 0 },
      { numClasses: 3, alpha: 0 },
      { numClasses: 3, alpha: 1 },
      { numClasses: 3, alpha: -1e9 },
      { numClasses: 3, lossWeight: 0 },
      { numClasses: 3, ignoreIndex: [] },
      { numClasses: 3, gamma: 30 },
    ]) {
      expect(new FocalLoss(options).options).toMatchObject({ numClasses: options.numClasses });
    }
    const criterion = new EqualizedFocalLoss({ numClasses: 3, gamma: 1e-3, scaleFactor: 0 });
    expect(criterion.options.scaleFactor).toBe(0);
  });

  test('that are undefined are the defaults', () => {
    const options = {
      numClasses: 3,
      gamma: undefined,
      alpha: undefined,
      scaleFactor: undefined,
      background: undefined,
      ignoreIndex: undefined,
      reduction: undefined,
      lossWeight: undefined,
      device: undefined,
    };
    expect(new EqualizedFocalLoss(options).options).toEqual(
      new EqualizedFocalLoss({ numClasses: 3 }).options,
    );
  });

  test('have at most 65536 labels to ignore', () => {
    const ignoreIndex = Array.from({ length: 65536 }, (_, i) => -1 - i);
    new FocalLoss({ numClasses: 3, ignoreIndex }).dispose();
    ignoreIndex.push(-70000);
    expectRefused(() => new FocalLoss({ numClasses: 3, ignoreIndex }), 'ignoreIndex');
  });

  test('are copied: changing the object afterwards changes nothing', () => {
    const options = { numClasses: 3, gamma: 2, ignoreIndex: [-1] };
    const criterion = new FocalLoss(options);
    const before = criterion.forward(new Float32Array(3).fill(1), [0]).loss;
    options.gamma = 5;
    options.ignoreIndex.push(-7);
    expect(criterion.options.gamma).toBe(2);
    expect(criterion.forward(new Float32Array(3).fill(1), [0]).loss).toBe(before);
    expectRefused(() => criterion.forward(new Float32Array(3), [-7]), 'labels[0]');
  });

  test('cannot be changed through the criterion', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 3 });
    expect(() => {
      Object.assign(criterion.options, { gamma: 7 });
    }).toThrow(TypeError);
    expect(criterion.options.gamma).toBe(2);
  });
});

describe('a call', () => {
  const { logits, labels } = makeSample(501, 4, 3);
  const criterion = new EqualizedFocalLoss({ numClasses: 3 });

  test('takes options that are undefined as left out', () => {
    const plain = criterion.forwardBackward(logits, labels, { collect: false });
    const spelled = criterion.forwardBackward(logits, labels, {
      normalizer: undefined,
      layout: undefined,
      gradOutput: undefined,
      lossScale: undefined,
      grad: undefined,
      collect: false,
    });
    expectSame('loss', spelled.loss, plain.loss);
    expectSame('grad', valuesOf(spelled.grad), plain.grad);
  });

  test('takes the format of rows by name', () => {
    const call = { layout: 'rows', anchors: 1, channelOrder: 'anchor-major' } as const;
    const { loss } = criterion.forward(logits, labels, call);
    expectSame('loss', loss, criterion.forward(logits, labels).loss);
  });
});
