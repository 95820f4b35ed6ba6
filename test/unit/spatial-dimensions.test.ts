import { EqualizedFocalLoss, FocalLoss, QualityFocalLoss } from '../../lib';
import { expectSame } from '../reference/compare';
import { expectRefused, expectSameState, makeSample, stateOf } from '../reference/harness';

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
