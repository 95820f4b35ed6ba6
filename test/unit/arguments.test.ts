import { inspect } from 'node:util';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import {
  expectArgumentError,
  expectRefused,
  expectSameState,
  makeSample,
  rejectionOf,
  stateOf,
  valuesOf,
  wrong,
} from '../reference/harness';
import type { AnyCriterion } from '../reference/harness';

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
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name} of ${value.byteLength} bytes`;
  }
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

const ROWS = 4;
const CLASSES = 3;
const { logits, labels } = makeSample(501, ROWS, CLASSES);
const tensor = (data: unknown, shape: unknown, rest: object = {}): object => ({
  data,
  shape,
  ...rest,
});

/** Wrong logits; whatever the part of them is called, the argument is of the logits. */
const LOGITS: Case[] = [
  ...cases('logits', [
    undefined,
    null,
    3,
    'logits',
    {},
    [],
    Array.from(logits),
    new Float64Array(12),
    new Uint16Array(12),
    new Int32Array(12),
    new Uint8Array(48),
    new ArrayBuffer(48),
    new DataView(new ArrayBuffer(48)),
    new Float32Array(11),
    new Float32Array(13),
    [logits],
    tensor(logits, undefined),
    tensor(logits, []),
    tensor(logits, [3, 4]),
    tensor(logits, [4, 4]),
    tensor(logits, [2, 3]),
    tensor(logits, [-4, -3]),
    tensor(logits, [4.0001, 3]),
    tensor(logits, ['4', 3]),
    tensor(logits, [4, NaN]),
    tensor(logits, '4x3'),
    tensor(logits, 12),
    tensor(Array.from(logits), [4, 3]),
    tensor(new Float64Array(12), [4, 3]),
    tensor(undefined, [4, 3]),
    tensor(new Uint16Array(12), [4, 3]),
    tensor(new Uint16Array(12), [4, 3], { dtype: 'float32' }),
    tensor(logits, [4, 3], { dtype: 'float64' }),
    tensor(logits, [4, 3], { dtype: null }),
  ]),
];

const LABELS: Case[] = [
  ...cases('labels', [
    undefined,
    null,
    0,
    '1,0,2,1',
    {},
    [],
    [0, 1, 2],
    [0, 1, 2, 3, 0],
    new Int32Array(3),
    new Int32Array(5),
    new Float32Array(4),
    new Float64Array(4),
    new Uint8Array(3),
    BigInt64Array.of(0n, 1n, 2n, 2n ** 31n),
    Uint32Array.of(0, 1, 2, 2 ** 31),
    { length: 4, 0: 0, 1: 0, 2: 0, 3: 0 },
    [[0, 1, 2, 3]],
    [0, 1, 2, '3'],
    [0, 1, 2, 0.5],
    [0, 1, 2, 4],
  ]),
];

const FORWARD_CALLS: Case[] = [
  ...cases('normalizer', [0, -0, -1, 'positive', ...NOT_FINITE, ...NOT_NUMBERS]),
  ...cases('normalizer', [new Float32Array(1)]),
  ...cases('layout', ['NHWC', 'NCHW', 'columns', '', null, 0]),
  ...cases('anchors', [2]),
  ...cases('channelOrder', ['class-major']),
  ...cases('quality', [new Float32Array(ROWS)]),
  ...cases('stream', [{}]),
  ...cases('normaliser', [1]),
];

const overlapping = new Float32Array(2 * ROWS * CLASSES);

const BACKWARD_CALLS: Case[] = [
  ...FORWARD_CALLS,
  ...cases('gradOutput', [...NOT_FINITE, ...NOT_NUMBERS, new Float32Array(12)]),
  ...cases('lossScale', [0, -0, ...NOT_FINITE, ...NOT_NUMBERS]),
  ...cases('collect', [0, 1, 'true', null, {}]),
  ...cases('grad', [
    null,
    3,
    'new',
    {},
    [],
    Array.from(logits),
    new Float64Array(12),
    new Int32Array(12),
    new Float32Array(11),
    new Float32Array(13),
    new Float32Array(0),
    tensor(new Float32Array(12), [4, 4]),
    tensor(new Float32Array(9), [3, 3]),
  ]),
];

describe.each<[string, () => AnyCriterion]>([
  ['Focal Loss', () => new FocalLoss({ numClasses: CLASSES })],
  ['Equalized Focal Loss', () => new EqualizedFocalLoss({ numClasses: CLASSES })],
])('a call of %s', (_, create) => {
  const criterion = create();
  criterion.forwardBackward(logits, labels);
  const kept = { logits: logits.slice(), labels: labels.slice() };
  const before = criterion instanceof EqualizedFocalLoss ? stateOf(criterion) : undefined;

  function expectUnchanged(): void {
    expectSame('logits', logits, kept.logits);
    expectSame('labels', labels, kept.labels);
    if (criterion instanceof EqualizedFocalLoss && before !== undefined) {
      expectSameState(stateOf(criterion), before);
    }
  }

  /** Refused by all calls that take these arguments, and nothing has changed. */
  async function expectAllRefuse(
    values: unknown,
    rows: unknown,
    call: object,
    argument: RegExp,
    backwardOnly = false,
  ): Promise<void> {
    const grad = new Float32Array(ROWS * CLASSES).fill(7);
    const withGrad = wrong({ grad, ...call });
    const parameters = [wrong(values), wrong(rows)] as const;
    expectRefused(() => criterion.forwardBackward(...parameters, withGrad), argument);
    const promise = criterion.forwardBackwardAsync(...parameters, withGrad);
    expectArgumentError(await rejectionOf(promise), argument);
    expectSame('grad', grad, new Float32Array(ROWS * CLASSES).fill(7));
    if (!backwardOnly) {
      expectRefused(() => criterion.forward(...parameters, wrong(call)), argument);
      const forward = criterion.forwardAsync(...parameters, wrong(call));
      expectArgumentError(await rejectionOf(forward), argument);
    }
    expectUnchanged();
  }

  test.each<Case>(LOGITS)('refuses %s', async (__, values, argument) => {
    await expectAllRefuse(values['logits'], labels, {}, argument);
  });

  test.each<Case>(LABELS)('refuses %s', async (__, values, argument) => {
    await expectAllRefuse(logits, values['labels'], {}, argument);
  });

  test.each<Case>(FORWARD_CALLS)('refuses %s in forward', async (__, call, argument) => {
    await expectAllRefuse(logits, labels, call, argument);
  });

  test.each<Case>(BACKWARD_CALLS)('refuses %s in forwardBackward', async (__, call, argument) => {
    await expectAllRefuse(logits, labels, call, argument, true);
  });

  test('refuses a gradient that overlaps the logits', async () => {
    const input = overlapping.subarray(2, 2 + ROWS * CLASSES);
    const call = { grad: overlapping.subarray(0, ROWS * CLASSES) };
    await expectAllRefuse(input, labels, call, /^grad$/, true);
  });

  test.each([[null], [3], ['sum'], [[]]])('refuses %p in place of options', async (call) => {
    expectRefused(() => criterion.forward(logits, labels, wrong(call)), /./);
    expectRefused(() => criterion.forwardBackward(logits, labels, wrong(call)), /./);
    const promise = criterion.forwardBackwardAsync(logits, labels, wrong(call));
    expectArgumentError(await rejectionOf(promise), /./);
    expectUnchanged();
  });

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
    expectUnchanged();
  });

  test("takes the layout 'rows' by name", () => {
    const { loss } = criterion.forward(logits, labels, { layout: 'rows' });
    expectSame('loss', loss, criterion.forward(logits, labels).loss);
  });
});
