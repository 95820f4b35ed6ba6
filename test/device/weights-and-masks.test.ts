/** Weights of rows and masks on a device, which may be there or on the host. */
import { CudaTensor, EflArgumentError, EqualizedFocalLoss, FocalLoss } from '../../lib';
import type { Criterion, HostTensor } from '../../lib';
import { expectClose } from '../reference/compare';
import { criterionOf, FAMILY, familySample, qualityCall, isStateful } from '../reference/family';
import { Random } from '../reference/random';
import { describeOnDevice } from './emulated';

const CLOSE = { relative: 2e-5, absolute: 1e-30 };
const ROWS = 48;
const CLASSES = 19;

const random = new Random(3);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(3));
const rowWeight = Float32Array.from({ length: ROWS }, () => Math.max(0, random.uniform(-0.4, 2)));
const mask = bytes(ROWS * CLASSES);
const classMask = bytes(CLASSES);

const values = (tensor: CudaTensor): Float32Array => tensor.toHost().data as Float32Array;

describeOnDevice('weights and masks on a device', () => {
  test('a tensor of bytes goes there and comes back', () => {
    const source = Uint8Array.of(1, 0, 255);
    const tensor = CudaTensor.fromHost(source);
    source[0] = 9;
    expect(tensor.dtype).toBe('uint8');
    expect(tensor.toHost()).toEqual({ data: Uint8Array.of(1, 0, 255), shape: [3], dtype: 'uint8' });
    expect(CudaTensor.empty([1], { dtype: 'uint8' }).copyFrom(Uint8Array.of(7)).item()).toBe(7);
  });

  describe.each(FAMILY)('$name', (one) => {
    const sample = familySample(21, ROWS, CLASSES);
    const onHost = { rowWeight, mask, classMask };
    const onDevice = () => ({
      rowWeight: CudaTensor.fromHost(rowWeight),
      mask: CudaTensor.fromHost({ data: mask, shape: [ROWS, CLASSES] }),
      classMask: CudaTensor.fromHost(classMask),
    });
    const run = (criterion: Criterion, logits: CudaTensor, selection: object) => {
      const call = { ...selection, ...qualityCall(one, sample.quality) };
      return criterion.forwardBackward(logits, sample.labels, call);
    };

    test.each([
      ['of the host', () => onHost],
      ['of the device', onDevice],
    ] as const)('has the figures of the CPU with arrays %s', (_, selection) => {
      const host = criterionOf(one, { numClasses: CLASSES });
      const device = criterionOf(one, { numClasses: CLASSES });
      const call = { ...onHost, ...qualityCall(one, sample.quality) };
      const expected = host.forwardBackward(sample.logits, sample.labels, call);
      const logits = CudaTensor.fromHost({ data: sample.logits, shape: [ROWS, CLASSES] });
      const output = run(device, logits, selection());
      expectClose('loss', output.loss.item(), expected.loss, CLOSE);
      expectClose('grad', values(output.grad), expected.grad, CLOSE);
      expect([output.positives, output.ignored]).toEqual([expected.positives, expected.ignored]);
      if (!isStateful(host) || !isStateful(device)) return;
      const [ours, theirs] = [device.statistics, host.statistics];
      expectClose('positive', ours.positive, theirs.positive, CLOSE);
      expectClose('negative', ours.negative, theirs.negative, CLOSE);
    });
  });

  test.each(['sum', 'mean'] as const)('%s divides by the same number', (reduction) => {
    const criterion = new FocalLoss({ numClasses: CLASSES, reduction });
    const { logits, labels } = familySample(5, ROWS, CLASSES);
    const call = {
      rowWeight,
      mask,
      classMask,
      ...(reduction === 'sum' && { normalizer: 'weights' as const }),
    };
    const tensor = CudaTensor.fromHost({ data: logits, shape: [ROWS, CLASSES] });
    const expected = criterion.forward(logits, labels, call).loss;
    const found = [0, 1].map(() => criterion.forward(tensor, labels, call).loss.item());
    expectClose('loss', found[0]!, expected, CLOSE);
    expect(found[1]).toBe(found[0]);
  });

  test('planes of a map are masked, too', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    const { logits, labels } = familySample(6, ROWS, CLASSES);
    const map: HostTensor = { data: logits, shape: [2, CLASSES, 4, ROWS / 8] };
    const call = { layout: 'NCHW', rowWeight, mask, classMask } as const;
    const expected = criterion.forwardBackward(map, labels, { ...call, collect: false });
    const output = criterion.forwardBackward(CudaTensor.fromHost(map), labels, call);
    expectClose('grad', values(output.grad), expected.grad.data, CLOSE);
    expect(output.positives).toBe(expected.positives);
  });

  test('a bad weight is found there, and the state has skipped the call', () => {
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    const logits = CudaTensor.fromHost({ data: new Float32Array(6), shape: [3, 2] });
    const weights = CudaTensor.fromHost(Float32Array.of(1, 0, -3));
    const output = criterion.forwardBackward(logits, [0, 1, 2], { rowWeight: weights });
    expect(() => output.loss.item()).toThrow(EflArgumentError);
    expect(() => output.positives).toThrow('rowWeight[2]');
    expect(criterion.statistics.steps).toBe(0);
  });

  test('a mask of another type is refused', () => {
    const criterion = new FocalLoss({ numClasses: 2 });
    const logits = CudaTensor.fromHost({ data: new Float32Array(6), shape: [3, 2] });
    const bad = CudaTensor.fromHost(new Float32Array(6));
    expect(() => criterion.forward(logits, [0, 1, 2], { mask: bad })).toThrow('uint8 values');
    expect(() => criterion.forward(logits, [0, 1, 2], { classMask: bad })).toThrow('uint8 values');
    const tensor = CudaTensor.fromHost(Uint8Array.of(0, 1, 2));
    expect(() => criterion.forward(logits, tensor)).toThrow('int32 values');
  });
});
