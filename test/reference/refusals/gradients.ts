/** Arrays for the gradient of a wrong type, shape or memory. */
import { FAMILY, takesQuality } from '../family';
import { detached, resizable } from './memory';
import {
  BACKWARD,
  CLASSES,
  COUNT,
  eachPart,
  gradient,
  group,
  half,
  levels,
  ROWS,
  rows,
  tensor,
  UPLOADED,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const onHost: Scope = { methods: BACKWARD };
const anywhere: Scope = { methods: BACKWARD, device: UPLOADED };
const none: Scope = { options: { reduction: 'none' } };

const maps = { data: values(8), shape: [1, CLASSES, 1, 2] };
const turned = { data: gradient(8), shape: [1, 1, 2, CLASSES] };
const ofMaps = { logits: maps, labels: Int32Array.of(1, 2) };
const ofLevels = [72, 48, 24].map((length) => gradient(length));
const [one, two, three] = ofLevels;

const kinds: Refusal[] = [
  ...eachPart('grad', 'grad', anywhere, [null, 3, 'new', {}, [], Array.from(values())]),
  ...eachPart('grad', 'grad', anywhere, [new Float64Array(COUNT), new Uint16Array(COUNT)]),
  ...eachPart('grad', 'grad', anywhere, [new Int32Array(COUNT), half('bfloat16')]),
  ...eachPart('grad', 'grad', anywhere, [11, 13, 0, ROWS].map(gradient)),
  ...eachPart('grad', 'grad', anywhere, [tensor(gradient(9), { shape: [3, 3] })]),
  ...eachPart('grad', 'grad.data', onHost, [tensor(gradient(), { shape: [4, 4] })]),
  ...group('grad.shape', anywhere, {
    'a gradient of another shape': { ...ofMaps, grad: turned, call: { layout: 'NCHW' } },
  }),
  ...group(
    'gradOutput.shape',
    { ...anywhere, ...none },
    {
      'a gradOutput of another shape': { ...ofMaps, call: { layout: 'NCHW', gradOutput: turned } },
    },
  ),
  ...group('grad', anywhere, {
    'too few gradients of levels': levels({ grad: [one] }),
    'too few by one': levels({ grad: [one, two] }),
    'one gradient for all levels': levels({ grad: one }),
  }),
  ...group('grad[1]', anywhere, {
    'gradients of levels in another order': levels({ grad: [one, three, two] }),
  }),
  ...group('grad', onHost, { 'a detached gradient': rows({ grad: detached(gradient()) }) }),
  ...group(
    'grad',
    { ...onHost, received: 'a resizable buffer' },
    {
      'a gradient in a resizable buffer': rows({ grad: resizable(Float32Array, COUNT) }),
    },
  ),
];

const ofHalves = (['float16', 'bfloat16'] as const).flatMap((dtype) => {
  const logits = half(dtype);
  return group('grad', anywhere, {
    [`a float32 gradient for ${dtype}`]: rows({ logits }),
    [`a gradient of the other type for ${dtype}`]: rows({
      logits,
      grad: half(dtype === 'float16' ? 'bfloat16' : 'float16'),
    }),
    [`a nameless gradient for ${dtype}`]: rows({ logits, grad: new Uint16Array(COUNT) }),
    [`a short gradient for ${dtype}`]: rows({
      logits,
      grad: half(dtype, { data: new Uint16Array(CLASSES), shape: [CLASSES] }),
    }),
  });
});

/** A call whose gradient lies so many elements off the logits, in the same memory. */
function shifted(shift: number, memory: ArrayBufferLike = new ArrayBuffer(12 * COUNT)): Given {
  const all = new Float32Array(memory);
  all.set(values(all.length));
  const from = COUNT + shift;
  return rows({ logits: all.subarray(COUNT, 2 * COUNT), grad: all.subarray(from, from + COUNT) });
}

const grad = gradient();
const zeros = new Float32Array(COUNT);
const classes = Int32Array.from({ length: 200 }, (_, i) => i % 2);
const both = gradient(COUNT + 1);
const all = gradient(144);

const inMemory: Refusal[] = [
  ...group(
    'grad',
    { ...onHost, expected: /^memory apart from/ },
    {
      'a gradient 1 element behind the logits': shifted(1),
      'a gradient 1 element before the logits': shifted(-1),
      'a gradient a row behind the logits': shifted(CLASSES),
      'a gradient over the last of the logits': shifted(COUNT - 1),
      'a gradient over the first of the logits': shifted(1 - COUNT),
      'one in shared memory': shifted(1, new SharedArrayBuffer(12 * COUNT)),
    },
  ),
  ...group('grad', onHost, {
    'a gradient over the labels': rows({ grad, labels: new Int32Array(grad.buffer, 4, ROWS) }),
    'a gradient over the targets': rows({ grad: zeros, labels: zeros }),
  }),
  ...group(
    'grad',
    { ...onHost, options: { numClasses: 1 } },
    {
      'a gradient over the labels of a single class': {
        logits: values(200),
        labels: classes,
        grad: new Float32Array(classes.buffer),
      },
    },
  ),
  ...group(
    'grad',
    { ...onHost, losses: FAMILY.filter(takesQuality) },
    {
      'a gradient over the qualities': rows({
        grad: zeros,
        call: { quality: zeros.subarray(2, 2 + ROWS) },
      }),
    },
  ),
  ...group(
    'grad',
    { ...onHost, ...none },
    {
      'a gradient in a part of gradOutput': rows({
        grad: both.subarray(1),
        call: { gradOutput: both.subarray(0, COUNT) },
      }),
    },
  ),
  ...group(
    'grad[2]',
    { ...onHost, expected: /grad\[1\]/ },
    {
      'gradients of levels one in another': levels({ grad: [one, two, two!.subarray(0, 24)] }),
      'gradients of levels that overlap': levels({
        grad: [all.subarray(0, 72), all.subarray(72, 120), all.subarray(100, 124)],
      }),
    },
  ),
];

export const GRADIENTS: readonly Refusal[] = [...kinds, ...ofHalves, ...inMemory];
