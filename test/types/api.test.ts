import {
  EqualizationLossV2,
  EqualizedFocalLoss,
  FocalLoss,
  functional,
  type EqualizedCriterion,
  type EqualizedQualityFocalLoss,
  type FocalLossOptions,
  type HostTensor,
  type LossOutput,
  type QualityFocalLoss,
  type QualityFocalLossOptions,
  type Targets,
} from '../../lib';

// The types are checked by the compiler, which compile.test.ts runs: a line below that does not hold
// does not compile.
type Same<A, B> = [A, B] extends [B, A] ? true : false;

const criterion = new FocalLoss({ numClasses: 2, reduction: 'none' });
const bare = new Float32Array(4);
const tensor: HostTensor = { data: bare, shape: [2, 2] };

test('results come back in the form of the logits', () => {
  const fromBare = criterion.forwardBackward(bare, [1, 2]);
  true satisfies Same<typeof fromBare.grad, Float32Array>;
  const fromTensor = criterion.forwardBackward(tensor, [1, 2]);
  true satisfies Same<typeof fromTensor.grad, HostTensor>;
  true satisfies Same<NonNullable<typeof fromTensor.elements>, HostTensor<Float32Array>>;
  expect(ArrayBuffer.isView(fromBare.grad)).toBe(true);
  expect(fromTensor.grad.shape).toEqual([2, 2]);
});

test('the gradient of a tensor has the type of its values', () => {
  const bits = { data: new Uint16Array(4), shape: [2, 2], dtype: 'bfloat16' } as const;
  const output = criterion.forwardBackward(bits, [1, 2]);
  true satisfies Same<typeof output.grad, HostTensor<Uint16Array<ArrayBuffer>>>;
  true satisfies Same<NonNullable<typeof output.elements>, HostTensor<Float32Array>>;
  expect(output.grad).toMatchObject({ shape: [2, 2], dtype: 'bfloat16' });
});

test('levels come back as a list, as long as the one they came in', () => {
  const levels: readonly HostTensor[] = [tensor, tensor];
  const { grad, elements } = criterion.forwardBackward(levels, [[1, 2], Int32Array.of(0, 0)]);
  true satisfies Same<typeof grad, HostTensor[]>;
  true satisfies Same<NonNullable<typeof elements>, HostTensor<Float32Array>[]>;
  const pair = [tensor, tensor] as const;
  const ofPair = criterion.forward(pair, [
    [1, 2],
    [1, 2],
  ]);
  true satisfies Same<typeof ofPair, LossOutput<typeof pair>>;
  expect([grad.length, elements!.length, ofPair.elements!.length]).toEqual([2, 2, 2]);
});

test('dense targets take the place of labels', () => {
  const targets: Targets = new Float32Array(4).fill(0.5);
  expect(criterion.forward(tensor, targets).positives).toBe(2);
  expect(criterion.forward([tensor], [targets]).positives).toBe(2);
});

test('the gradient has the type of the array that was given for it', () => {
  const own: Float32Array = new Float32Array(4);
  const { grad } = criterion.forwardBackward(tensor, [1, 2], { grad: own });
  true satisfies Same<typeof grad, Float32Array>;
  expect(grad).toBe(own);
});

test('asynchronous calls promise what the synchronous ones return', async () => {
  const promise = criterion.forwardAsync(tensor, [1, 2]);
  true satisfies Same<typeof promise, Promise<LossOutput<HostTensor>>>;
  expect((await promise).elements?.shape).toEqual([2, 2]);
});

test('every equalized criterion has a state, and no other', () => {
  true satisfies EqualizedQualityFocalLoss extends EqualizedCriterion ? true : false;
  true satisfies Same<
    'focusingFactor' extends keyof EqualizedQualityFocalLoss ? true : false,
    true
  >;
  true satisfies Same<'focusingFactor' extends keyof EqualizationLossV2 ? true : false, false>;
  true satisfies Same<'statistics' extends keyof QualityFocalLoss ? true : false, false>;
  true satisfies Same<'scaleFactor' extends keyof QualityFocalLossOptions ? true : false, false>;
  expect(new EqualizationLossV2({ numClasses: 2 }).negativeWeight).toHaveLength(2);
});

test('only the equalized criterion has a state, and only it takes a scale factor', () => {
  true satisfies Same<'statistics' extends keyof EqualizedFocalLoss ? true : false, true>;
  true satisfies Same<'statistics' extends keyof FocalLoss ? true : false, false>;
  true satisfies Same<'scaleFactor' extends keyof FocalLossOptions ? true : false, false>;
  expect('statistics' in criterion).toBe(false);
});

test('options may be spelt out as undefined', () => {
  const options: FocalLossOptions = { numClasses: 2, gamma: undefined, background: undefined };
  expect(new FocalLoss(options).options.gamma).toBe(2);
});

test('functions follow the form of their logits too', () => {
  const { grad } = functional.sigmoidFocalLossWithGrad(tensor, bare);
  true satisfies Same<typeof grad, HostTensor>;
  expect(grad.shape).toEqual([2, 2]);
});
