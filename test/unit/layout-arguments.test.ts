import {
  AdaptiveClassSuppressionLoss,
  EqualizationLoss,
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  FocalLoss,
  QualityFocalLoss,
} from '../../lib';
import type { HostTensor } from '../../lib';
import {
  expectArgumentError,
  expectRefused,
  expectSameState,
  rejectionOf,
  stateOf,
  wrong,
} from '../reference/harness';

const CLASSES = 4;
const ANCHORS = 3;
const CHANNELS = ANCHORS * CLASSES;

/** A level of B x 2 x `width` positions. */
function level(width: number, layout: 'NHWC' | 'NCHW' = 'NHWC'): HostTensor<Float32Array> {
  const shape = layout === 'NHWC' ? [1, 2, width, CHANNELS] : [1, CHANNELS, 2, width];
  return { data: new Float32Array(2 * width * CHANNELS), shape };
}

function half(dtype: 'float16' | 'bfloat16'): HostTensor<Uint16Array> {
  return { data: new Uint16Array(8), shape: [2, CLASSES], dtype };
}

const logits = [level(3), level(2), level(1)] as const;
const labels = [18, 12, 6].map((rows) => new Int32Array(rows));
const nhwc = { layout: 'NHWC', anchors: ANCHORS } as const;
const rows = new Float32Array(2 * CLASSES);
const background = new Int32Array(2);

/** Refused by the criterion's synchronous and asynchronous calls, and its state is as before. */
async function expectRefusal(
  values: unknown,
  ofRows: unknown,
  call: object,
  argument: string,
): Promise<{ expected: string; received: string }> {
  const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
  const before = stateOf(criterion);
  const parameters = [wrong(values), wrong(ofRows), wrong(call)] as const;
  const error = expectRefused(() => criterion.forwardBackward(...parameters), argument);
  const rejection = await rejectionOf(criterion.forwardBackwardAsync(...parameters));
  expect(expectArgumentError(rejection, argument).message).toBe(error.message);
  expectSameState(stateOf(criterion), before);
  return error;
}

describe('levels', () => {
  test('of another shape than their layout are named, with the channels they need', async () => {
    const wide = { data: new Float32Array(2 * 2 * 13), shape: [1, 2, 2, 13] };
    const error = await expectRefusal(
      [logits[0], logits[1], wide],
      labels,
      nhwc,
      'logits[2].shape',
    );
    expect(error.expected).toBe('B x H x W x 12 channels (anchors 3 x numClasses 4)');
    expect(error.received).toBe('1 x 2 x 2 x 13');
  });

  test('in NCHW have their channels in the second place', async () => {
    const call = { ...nhwc, layout: 'NCHW' };
    const error = await expectRefusal(logits, labels, call, 'logits[0].shape');
    expect(error.expected).toBe('B x 12 channels (anchors 3 x numClasses 4) x H x W');
  });

  test.each<[string, unknown, string]>([
    ['an empty list', [], 'logits'],
    ['a hole', [logits[0], , logits[2]], 'logits[1]'],
    ['bare values', [logits[0], logits[1].data, logits[2]], 'logits[1]'],
    ['three dimensions', [{ data: rows, shape: [1, 2, CLASSES] }], 'logits[0].shape'],
    ['another type', [{ ...level(3), dtype: 'bfloat16' }], 'logits[0].dtype'],
    ['too few values', [logits[0], { ...level(2), shape: [1, 2, 9, 12] }], 'logits[1].data'],
  ])('are refused with %s', async (_, values, argument) => {
    await expectRefusal(values, labels, nhwc, argument);
  });

  test('all have one element type', async () => {
    const bits = { data: new Uint16Array(2 * 2 * 12), shape: [1, 2, 2, 12], dtype: 'float16' };
    const error = await expectRefusal([logits[0], bits], labels, nhwc, 'logits[1].dtype');
    expect(error.expected).toContain('float32');
    expect(error.received).toBe('float16');
  });

  test('need a list of labels, as long as that of the logits', async () => {
    await expectRefusal(logits, labels[0], nhwc, 'labels');
    await expectRefusal(logits, Array.from(labels[0]!), nhwc, 'labels');
    await expectRefusal(logits, labels.slice(1), nhwc, 'labels');
    await expectRefusal(logits, [0, 0, 0], nhwc, 'labels[0]');
    await expectRefusal(logits[0], [labels[0]], nhwc, 'labels');
  });

  test('need labels for each image, position and anchor', async () => {
    const short = [labels[0], new Int32Array(11), labels[2]];
    const error = await expectRefusal(logits, short, nhwc, 'labels[1]');
    expect(error.expected).toBe('12 labels, B x H x W x A = 1 x 2 x 2 x 3');
  });

  test('name the level and the row of a bad label, target or quality', async () => {
    const bad = labels.map((ofLevel) => ofLevel.slice());
    bad[1]![7] = 99;
    await expectRefusal(logits, bad, nhwc, 'labels[1][7]');
    const lists = labels.map((ofLevel) => Array.from(ofLevel));
    await expectRefusal(logits, [lists[0], lists[1], [0, 0, 0, 0.5, 0, 0]], nhwc, 'labels[2][3]');
    const targets = logits.map(({ data }) => new Float32Array(data.length));
    targets[2]![5] = 1.5;
    await expectRefusal(logits, targets, nhwc, 'targets[2][5]');
    const criterion = new QualityFocalLoss({ numClasses: CLASSES });
    const positive = labels.map((ofLevel) => new Int32Array(ofLevel.length).fill(1));
    const quality = labels.map((ofLevel) => new Float32Array(ofLevel.length));
    quality[0]![4] = NaN;
    const call = { ...nhwc, quality };
    expectRefused(() => criterion.forward(logits, positive, call), 'quality[0][4]');
  });

  test('of gradients for collectGrad are checked alike', async () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    expectRefused(() => criterion.collectGrad(logits, labels), 'grads[0].shape');
    expectRefused(() => criterion.collectGrad(logits, labels.slice(1), nhwc), 'labels');
    expectRefused(() => criterion.collectGrad(logits[0], wrong(logits[0]), nhwc), 'labels');
    const short = criterion.collectGradAsync(logits, [labels[0]!, labels[0]!, labels[0]!], nhwc);
    expectArgumentError(await rejectionOf(short), 'labels[1]');
    expect(criterion.statistics.steps).toBe(0);
  });
});

describe('the options of a layout', () => {
  test.each<[object, string]>([
    [{ layout: 'HWC' }, 'layout'],
    [{ layout: 'NHWC' }, 'layout'],
    [{ anchors: 2 }, 'anchors'],
    [{ channelOrder: 'class-major' }, 'channelOrder'],
    [{ layout: 'rows', anchors: 0 }, 'anchors'],
  ])('%j does not go with bare values', async (call, argument) => {
    await expectRefusal(rows, background, call, argument);
  });

  test.each<[object, string]>([
    [{ anchors: 0 }, 'anchors'],
    [{ anchors: 1.5 }, 'anchors'],
    [{ anchors: '3' }, 'anchors'],
    [{ anchors: 2 ** 31 }, 'anchors'],
    [{ channelOrder: 'anchor' }, 'channelOrder'],
    [{ channelOrder: null }, 'channelOrder'],
  ])('may not be %j', async (call, argument) => {
    await expectRefusal(logits[0], labels[0], { ...nhwc, ...call }, argument);
  });

  test('may be spelt out for rows', () => {
    const call = { layout: 'rows', anchors: 1, channelOrder: 'anchor-major' } as const;
    expect(new FocalLoss({ numClasses: CLASSES }).forward(rows, background, call).positives).toBe(
      0,
    );
  });
});

describe('results of levels', () => {
  test('go into a list of gradients, level by level', async () => {
    const grad = logits.map(({ data }) => ({
      data: new Float32Array(data.length),
      shape: [data.length],
    }));
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const output = criterion.forwardBackward(logits, labels, { ...nhwc, grad });
    expect(output.grad).toBe(grad);
    expect(grad.every(({ data }) => data.every((value) => value > 0))).toBe(true);
    await expectRefusal(logits, labels, { ...nhwc, grad: grad.slice(1) }, 'grad');
    await expectRefusal(logits, labels, { ...nhwc, grad: grad[0] }, 'grad');
    const mixed = [grad[0], grad[2], grad[1]];
    await expectRefusal(logits, labels, { ...nhwc, grad: mixed }, 'grad[1]');
  });

  test('may not share memory across levels', async () => {
    const grad = logits.map(({ data }) => data);
    await expectRefusal(
      logits,
      labels,
      { ...nhwc, grad: [grad[0], grad[1], grad[1]!.subarray(0, 24)] },
      'grad[2]',
    );
    const one = new Float32Array(36 * CLASSES);
    const sizes = logits.map(({ data }) => data.length);
    const cut = [one.subarray(0, sizes[0]), one.subarray(72, 120), one.subarray(100, 124)];
    const error = await expectRefusal(logits, labels, { ...nhwc, grad: cut }, 'grad[2]');
    expect(error.expected).toContain('grad[1]');
  });

  test('in place of the logits leave labels, targets and qualities alone', async () => {
    const shared = new Float32Array(2 * CLASSES);
    const call = { grad: shared };
    await expectRefusal(rows, shared, call, 'grad');
    await expectRefusal(rows, new Int32Array(shared.buffer, 4, 2), call, 'grad');
    const criterion = new QualityFocalLoss({ numClasses: CLASSES });
    const quality = shared.subarray(2, 4);
    expectRefused(
      () => criterion.forwardBackward(rows, background, { quality, grad: shared }),
      'grad',
    );
  });
});

describe('16-bit values', () => {
  test.each(['float16', 'bfloat16'] as const)('of %s give gradients of their type', (dtype) => {
    const { grad } = new FocalLoss({ numClasses: CLASSES }).forwardBackward(
      half(dtype),
      background,
    );
    expect(grad.data).toBeInstanceOf(Uint16Array);
    expect(grad).toMatchObject({ shape: [2, CLASSES], dtype });
  });

  test('have losses in float32', () => {
    const criterion = new FocalLoss({ numClasses: CLASSES, reduction: 'none' });
    const { elements } = criterion.forward([half('float16')], [background]);
    expect(elements![0]).toMatchObject({ shape: [2, CLASSES], dtype: 'float32' });
    expect(elements![0]!.data).toBeInstanceOf(Float32Array);
  });

  test.each<[string, unknown]>([
    ['float32', new Float32Array(8)],
    ['bfloat16', half('bfloat16')],
    ['nameless', new Uint16Array(8)],
    ['too short', { data: new Uint16Array(4), shape: [4], dtype: 'float16' }],
  ])('refuse a gradient that is %s', async (_, grad) => {
    await expectRefusal(half('float16'), background, { grad }, 'grad');
  });

  test('have float32 targets only', async () => {
    await expectRefusal(half('float16'), half('float16'), {}, 'labels');
  });
});

describe('dense targets', () => {
  test('have as many values as the logits, and their shape', async () => {
    await expectRefusal(rows, new Float32Array(7), {}, 'labels');
    const tensor = { data: rows, shape: [2, CLASSES] };
    await expectRefusal(tensor, { data: rows.slice(), shape: [CLASSES, 2] }, {}, 'labels.shape');
    await expectRefusal([tensor], [rows.subarray(1)], {}, 'labels[0]');
  });

  test.each([-0.001, 1.001, NaN, Infinity])('may not be %p', async (value) => {
    const targets = rows.slice();
    targets[6] = value;
    await expectRefusal(rows, targets, {}, 'targets[6]');
  });

  test('come without a quality', () => {
    const criterion = new EqualizedQualityFocalLoss({ numClasses: CLASSES });
    const call = { quality: [1, 1] };
    expectRefused(() => criterion.forwardBackward(rows, rows.slice(), call), 'quality');
    expect(criterion.forwardBackward(rows, rows.slice()).positives).toBe(0);
  });
});

describe('the quality', () => {
  const criterion = new QualityFocalLoss({ numClasses: CLASSES });
  const positive = Int32Array.of(1, 2);

  test.each<[unknown, string]>([
    [undefined, 'quality'],
    [null, 'quality'],
    [0.5, 'quality'],
    [[0.5], 'quality'],
    [new Float32Array(3), 'quality'],
    [new Float64Array(2), 'quality'],
    [[0.5, '1'], 'quality[1]'],
    [[0.5, 1.5], 'quality[1]'],
    [Float32Array.of(-0.5, 1), 'quality[0]'],
    [[[0.5, 0.5]], 'quality'],
  ])('may not be %p', (quality, argument) => {
    expectRefused(() => criterion.forward(rows, positive, wrong({ quality })), argument);
  });

  test('is not looked at in rows without a class', () => {
    const quality = Float32Array.of(NaN, 7);
    expect(criterion.forward(rows, Int32Array.of(0, -1), { quality }).ignored).toBe(1);
  });

  test('is no option of the other losses', async () => {
    await expectRefusal(rows, background, { quality: [1, 1] }, 'quality');
  });
});

describe('memory that changes under a call', () => {
  type Resizable = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

  test('is refused where its buffer can be resized', async () => {
    const buffer = new (ArrayBuffer as unknown as Resizable)(32, { maxByteLength: 64 });
    const values = new Float32Array(buffer);
    await expectRefusal(values, background, {}, 'logits');
    await expectRefusal({ data: values, shape: [2, CLASSES] }, background, {}, 'logits.data');
    await expectRefusal(rows, background, { grad: values }, 'grad');
    await expectRefusal(rows, new Int32Array(buffer, 0, 2), {}, 'labels');
    const shared = new (SharedArrayBuffer as unknown as Resizable)(32, { maxByteLength: 64 });
    await expectRefusal(new Float32Array(shared), background, {}, 'logits');
  });

  test('is refused where its buffer is gone, also for calls without rows', async () => {
    const gone = new Float32Array(2 * CLASSES);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    await expectRefusal(gone, [], {}, 'logits');
    await expectRefusal(rows, gone, {}, 'labels');
    await expectRefusal(
      [
        { data: rows, shape: [2, 4] },
        { data: gone, shape: [0, 4] },
      ],
      [background, []],
      {},
      'logits[1].data',
    );
  });
});

describe('transfer', () => {
  test('takes levels that share a buffer together', async () => {
    const one = new Float32Array(3 * CLASSES).fill(1);
    const tensors = [
      { data: one.subarray(0, 4), shape: [1, CLASSES] },
      { data: one.subarray(4), shape: [2, CLASSES] },
    ];
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const expected = criterion.forwardBackward(tensors, [[1], [0, 2]]);
    const output = await criterion.forwardBackwardAsync(tensors, [[1], [0, 2]], { transfer: true });
    expect(one.length).toBe(0);
    expect(output).toEqual(expected);
  });

  test('is refused where levels share memory, which the gradient would be written over', async () => {
    const one = new Float32Array(3 * CLASSES).fill(1);
    const whole = { data: one, shape: [3, CLASSES] };
    const part = { data: one.subarray(CLASSES), shape: [2, CLASSES] };
    for (const [second, rows] of [
      [whole, [0, 2, 1]],
      [part, [0, 2]],
    ] as const) {
      const criterion = new FocalLoss({ numClasses: CLASSES });
      const call = criterion.forwardBackwardAsync([whole, second], [[1, 0, 2], rows], {
        transfer: true,
      });
      expectArgumentError(await rejectionOf(call), 'transfer');
      expect(one.length).toBe(3 * CLASSES);
    }
  });

  test('of another shape are a gradient and its upstream refused', () => {
    const logits = { data: new Float32Array(8), shape: [1, 4, 1, 2] };
    const other = { data: new Float32Array(8), shape: [1, 1, 2, 4] };
    const criterion = new FocalLoss({ numClasses: 4, reduction: 'none' });
    const call = { layout: 'NCHW' } as const;
    for (const name of ['grad', 'gradOutput']) {
      const wrong = { ...call, [name]: other };
      expectRefused(() => criterion.forwardBackward(logits, [1, 2], wrong), `${name}.shape`);
    }
  });

  test('is refused where a gradient is in one of the buffers', async () => {
    const tensors = [level(1), level(2)];
    const grad = [level(1), tensors[1]!];
    const call = { ...nhwc, grad, transfer: true };
    const criterion = new FocalLoss({ numClasses: CLASSES });
    const promise = criterion.forwardBackwardAsync(tensors, [labels[2]!, labels[1]!], call);
    expectArgumentError(await rejectionOf(promise), 'transfer');
  });
});

describe('options of the family', () => {
  const numClasses = 3;
  test.each<[string, () => unknown, string]>([
    ['QFL, gamma', () => new QualityFocalLoss({ numClasses, gamma: 0.9 }), 'gamma'],
    ['QFL, alpha', () => new QualityFocalLoss(wrong({ numClasses, alpha: 0.25 })), 'alpha'],
    ['EQFL, gamma', () => new EqualizedQualityFocalLoss({ numClasses, gamma: 0.5 }), 'gamma'],
    [
      'EQFL, s',
      () => new EqualizedQualityFocalLoss({ numClasses, scaleFactor: -1 }),
      'scaleFactor',
    ],
    [
      'EQLv2, steepness',
      () => new EqualizationLossV2({ numClasses, mapSteepness: 0 }),
      'mapSteepness',
    ],
    [
      'EQLv2, midpoint',
      () => new EqualizationLossV2({ numClasses, mapMidpoint: NaN }),
      'mapMidpoint',
    ],
    ['EQLv2, gain', () => new EqualizationLossV2({ numClasses, positiveGain: -1 }), 'positiveGain'],
    [
      'EQLv2, objectness',
      () => new EqualizationLossV2(wrong({ numClasses, objectness: 1 })),
      'objectness',
    ],
    ['EQLv2, gamma', () => new EqualizationLossV2(wrong({ numClasses, gamma: 2 })), 'gamma'],
    ['EQL, no frequencies', () => new EqualizationLoss(wrong({ numClasses })), 'classFrequencies'],
    [
      'EQL, too few',
      () => new EqualizationLoss({ numClasses, classFrequencies: [0.1] }),
      'classFrequencies',
    ],
    [
      'EQL, a count',
      () => new EqualizationLoss({ numClasses, classFrequencies: [0, 12, 1] }),
      'classFrequencies[1]',
    ],
    [
      'EQL, threshold',
      () => new EqualizationLoss({ numClasses, classFrequencies: [0, 1, 1], threshold: 2 }),
      'threshold',
    ],
    [
      'ACSL, threshold',
      () => new AdaptiveClassSuppressionLoss({ numClasses, scoreThreshold: 1 }),
      'scoreThreshold',
    ],
    [
      'ACSL, weights',
      () => new AdaptiveClassSuppressionLoss({ numClasses, backgroundWeight: [1, -1, 1] }),
      'backgroundWeight[1]',
    ],
    ['alpha, too many', () => new FocalLoss({ numClasses, alpha: [0, 0, 0, 0] }), 'alpha'],
    [
      'alpha, above 1',
      () => new FocalLoss({ numClasses, alpha: Float32Array.of(0, 1, 2) }),
      'alpha[2]',
    ],
    [
      'weights, one number',
      () => new FocalLoss(wrong({ numClasses, classWeight: 1 })),
      'classWeight',
    ],
    [
      'weights, negative',
      () => new FocalLoss({ numClasses, classWeight: [1, 1, -1] }),
      'classWeight[2]',
    ],
    [
      'weights, a hole',
      () => new FocalLoss({ numClasses, classWeight: new Array<number>(3) }),
      'classWeight[0]',
    ],
    [
      'weights, infinite',
      () => new FocalLoss({ numClasses, classWeight: [1e39, 1, 1] }),
      'classWeight[0]',
    ],
    [
      'weights, soon infinite',
      () => new EqualizedFocalLoss({ numClasses, alpha: -1, classWeight: [1, 3e38, 1] }),
      'classWeight[1]',
    ],
  ])('are refused outside their ranges: %s', (_, create, argument) => {
    expectRefused(create, argument);
  });

  test('are copied and cannot be changed', () => {
    const classWeight = [1, 2, 3];
    const { options } = new FocalLoss({
      numClasses,
      classWeight,
      alpha: Float64Array.of(0.5, -1, 1),
    });
    classWeight[0] = 9;
    expect(options).toMatchObject({ classWeight: [1, 2, 3], alpha: [0.5, -1, 1] });
    expect(() => Object.assign(options.classWeight!, { 0: 9 })).toThrow(TypeError);
  });

  test('with objectness ask for one more column', () => {
    const criterion = new EqualizationLossV2({ numClasses, objectness: true });
    const error = expectRefused(
      () => criterion.forward({ data: new Float32Array(6), shape: [2, 3] }, [0, 1]),
      'logits.shape',
    );
    expect(error.expected).toBe('numClasses + 1 = 4 as the last dimension');
    const call = { layout: 'NCHW', anchors: 2 } as const;
    const level = { data: new Float32Array(6), shape: [1, 6, 1, 1] };
    const { expected } = expectRefused(
      () => criterion.forward(level, [0, 1], call),
      'logits.shape',
    );
    expect(expected).toBe('B x 8 channels (anchors 2 x (numClasses 3 + 1)) x H x W');
  });
});

describe('the state', () => {
  test('of Equalization Loss v2 takes ratios above 1, and no others do', () => {
    const state = { pos_grad: [5, 0], neg_grad: [1, 2], pos_neg: [5, 0] };
    const criterion = new EqualizationLossV2({ numClasses: 2 });
    expect(criterion.gradientRatio).toEqual(Float64Array.of(100, 100));
    criterion.loadStateDict(state);
    expect(criterion.gradientRatio).toEqual(Float64Array.of(5, 0));
    const focal = new EqualizedQualityFocalLoss({ numClasses: 2 });
    expectRefused(() => {
      focal.loadStateDict(state);
    }, 'state.pos_neg[0]');
  });

  test('does not take in the statistics of another loss', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const other = new EqualizationLossV2({ numClasses: 2 });
    const error = expectRefused(() => {
      criterion.mergeStatistics(other);
    }, 'other');
    expect(error.expected).toBe('an EqualizedFocalLoss or its statistics');
  });
});
