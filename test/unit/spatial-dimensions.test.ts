import { EqualizedFocalLoss, FocalLoss, QualityFocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import { expectRefused, expectSameState, makeSample, stateOf, wrong } from '../reference/harness';

const CLASSES = 3;
const IMAGES = 2;
const ANCHORS = 2;
const CHANNELS = ANCHORS * CLASSES;

const sizes = [[], [6], [2, 3], [2, 1, 3], [1, 3, 1, 2]];
const layouts = ['NCHW', 'NHWC'] as const;
const orders = ['anchor-major', 'class-major'] as const;
const cases = sizes.flatMap((size) =>
  layouts.flatMap((layout) => orders.map((channelOrder) => ({ size, layout, channelOrder }))),
);

describe.each(cases)(
  'maps of $size in $layout, $channelOrder',
  ({ size, layout, channelOrder }) => {
    const positions = size.reduce((product, length) => product * length, 1);
    const rows = IMAGES * positions * ANCHORS;
    const { logits, labels } = makeSample(11, rows, CLASSES);
    const shapeOf = (...spatial: number[]): number[] =>
      layout === 'NCHW' ? [IMAGES, CHANNELS, ...spatial] : [IMAGES, ...spatial, CHANNELS];
    const call = { layout, anchors: ANCHORS, channelOrder } as const;
    const flat = new EqualizedFocalLoss({ numClasses: CLASSES, reduction: 'none' });
    const wanted = flat.forwardBackward(
      { data: logits, shape: shapeOf(positions, 1) },
      labels,
      call,
    );
    const maps = { data: logits, shape: shapeOf(...size) };

    test('are the same rows as with all positions in one dimension', async () => {
      const criterion = new EqualizedFocalLoss({ numClasses: CLASSES, reduction: 'none' });
      const output = criterion.forwardBackward(maps, labels, call);
      expect(output.loss).toBe(wanted.loss);
      expectSame('grad', output.grad.data, wanted.grad.data);
      expectSame('elements', output.elements!.data, wanted.elements!.data);
      expectSameState(stateOf(criterion), stateOf(flat));
      const later = await criterion.forwardAsync(maps, labels, { ...call });
      expect(later.elements!.shape).toEqual(maps.shape);
    });

    test('give results of their shape', () => {
      const { grad, elements } = flat.forwardBackward(maps, labels, { ...call, collect: false });
      expect(grad.shape).toEqual(maps.shape);
      expect(elements!.shape).toEqual(maps.shape);
    });

    test('have labels of their shape, with the anchors last', () => {
      const criterion = new FocalLoss({ numClasses: CLASSES });
      const shape = [IMAGES, ...size, ANCHORS];
      const { positives } = criterion.forward(maps, { data: labels, shape }, call);
      expect(positives).toBe(wanted.positives);
      if (positions === 1) return;
      const turned = { data: labels, shape: [ANCHORS, ...size, IMAGES, 1].slice(1) };
      expectRefused(() => criterion.forward(maps, turned, call), /^labels/);
    });
  },
);

describe('the message for maps of a wrong shape', () => {
  const criterion = new FocalLoss({ numClasses: CLASSES });
  const messageOf = (shape: number[], call: object): string => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const refuse = () => criterion.forward({ data, shape }, [], wrong(call));
    return expectRefused(refuse, 'logits.shape').expected;
  };

  test('has as many dimensions as they have', () => {
    expect(messageOf([1, 4, 2, 2, 2], { layout: 'NCHW' })).toMatch(
      /^B x 3 channels \(anchors 1 x numClasses 3\) x D x H x W/,
    );
    expect(messageOf([1, 2, 4], { layout: 'NHWC' })).toMatch(
      /^B x W x 3 channels \(anchors 1 x numClasses 3\)/,
    );
    expect(messageOf([3], { layout: 'NCHW' })).toMatch(/^B x 3 channels .* x H x W$/);
  });

  test('says what to do with a head that has boxes beside the classes', () => {
    const advice =
      'with 8 columns an anchor, as of a head with boxes, copy those of the classes into an array of their own';
    expect(messageOf([1, 16, 2, 2], { layout: 'NCHW', anchors: 2 })).toContain(advice);
    expect(messageOf([5, 8], {})).toContain('with 8 columns a row');
  });

  test('names labels by their dimensions', () => {
    const maps = { data: new Float32Array(24), shape: [1, 3, 2, 2, 2] };
    const { expected } = expectRefused(
      () => criterion.forward(maps, [0], { layout: 'NCHW' }),
      'labels',
    );
    expect(expected).toBe('8 labels, B x D x H x W x A = 1 x 2 x 2 x 2 x 1');
  });
});

describe('logits in an array that is not taken', () => {
  const criterion = new FocalLoss({ numClasses: CLASSES });
  const expectedOf = (logits: unknown, argument: string): string =>
    expectRefused(() => criterion.forward(wrong(logits), [0]), argument).expected;

  test.each<[string, unknown, string]>([
    ['float64', new Float64Array(3), 'Float32Array.from(logits)'],
    ['integers', new Int32Array(3), 'Float32Array.from(logits)'],
    ['big integers', new BigInt64Array(3), 'Float32Array.from(logits, Number)'],
    ['plain numbers', [1, 2, 3], 'Float32Array.from(logits)'],
    ['rows of plain numbers', [[1, 2, 3]], 'Float32Array.from(logits.flat())'],
    [
      'a tensor of float64',
      { data: new Float64Array(3), shape: [1, 3] },
      'Float32Array.from(logits.data)',
    ],
    ['a tensor of numbers', { data: [1, 2, 3], shape: [1, 3] }, 'Float32Array.from(logits.data)'],
  ])('are told what to make of them: %s', (_, logits, advice) => {
    expect(expectedOf(logits, 'logits')).toContain(advice);
  });

  test('name the level of a list', () => {
    const good = { data: new Float32Array(3), shape: [1, 3] };
    const bad = { data: new Float64Array(3), shape: [1, 3] };
    const refuse = () => criterion.forward(wrong([good, bad]), [[0], [0]]);
    expect(expectRefused(refuse, 'logits[1]').expected).toContain('logits[1].data');
  });

  test('that are a strided view are told to copy it', () => {
    const view = { data: new Float32Array(85), shape: [1, 3], stride: [85, 2], offset: 0 };
    const { expected } = expectRefused(() => criterion.forward(view, [0]), 'logits.stride');
    expect(expected).toContain('copy the view into an array of its own');
  });
});

test('qualities are ordered as the rows of maps of three dimensions', () => {
  const criterion = new QualityFocalLoss({ numClasses: CLASSES });
  const { logits } = makeSample(3, 8, CLASSES);
  const labels = Int32Array.from({ length: 8 }, (_, row) => row % 4);
  const quality = Float32Array.from({ length: 8 }, (_, row) => row / 8);
  const volume = { data: logits, shape: [1, CLASSES, 2, 2, 2] };
  const plane = { data: logits, shape: [1, CLASSES, 4, 2] };
  const call = { layout: 'NCHW', quality } as const;
  const { loss } = criterion.forward(volume, labels, call);
  expect(loss).toBe(criterion.forward(plane, labels, call).loss);
});
