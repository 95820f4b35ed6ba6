/** What only a call on device tensors can be given. */
import { CudaTensor } from '../../../lib';
import {
  ALL_CALLS,
  BACKWARD,
  CLASSES,
  COUNT,
  gradient,
  group,
  half,
  option,
  ROWS,
  rows,
  UPLOADED,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const everywhere: Scope = { methods: ALL_CALLS, device: UPLOADED };
const inBackward: Scope = { methods: BACKWARD, device: UPLOADED };
const ofReduction = (reduction: string): Scope => ({ device: UPLOADED, options: { reduction } });

const tensors: Refusal[] = [
  ...group('logits.shape', everywhere, {
    'logits of one dimension': () => rows({ logits: CudaTensor.fromHost(values()) }),
  }),
  ...group('logits.dtype', everywhere, {
    'logits in integers': rows({ logits: new Int32Array(COUNT) }),
  }),
  ...group('logits[1]', everywhere, {
    'a level that is no tensor': () => ({
      logits: [CudaTensor.empty([1, CLASSES]), null],
      labels: [],
    }),
  }),
  ...group('grad', inBackward, { 'a gradient in float16': rows({ grad: half('float16') }) }),
];

const [single, pair] = [Float32Array.of(1), Float32Array.of(1, 2)];

const scalars: Refusal[] = [
  ...group(
    'normalizer',
    { device: UPLOADED, isValue: true, received: '0' },
    {
      'a normalizer of 0': option('normalizer', Float32Array.of(0)),
    },
  ),
  ...group('normalizer', ofReduction('mean'), { 'one for a mean': option('normalizer', single) }),
  ...group('normalizer', ofReduction('none'), { 'one for elements': option('normalizer', single) }),
  ...group('normalizer', inBackward, { 'two normalizers': option('normalizer', pair) }),
  ...group('gradOutput', inBackward, { 'two upstream gradients': option('gradOutput', pair) }),
];

/** A call with parts in the memory of its gradient, from a byte of it on. */
function overGradient(parts: (within: (shape: number[], from?: bigint) => CudaTensor) => object) {
  return (): Given => {
    const owner = CudaTensor.fromHost(gradient(COUNT + 1));
    const within = (shape: number[], from = 0n): CudaTensor =>
      CudaTensor.wrap({ pointer: owner.pointer + from, shape, owner });
    return rows({ grad: within([ROWS, CLASSES]), ...parts(within) });
  };
}

const shape = [ROWS, CLASSES];

const inMemory: Refusal[] = [
  ...group(
    'grad',
    { ...inBackward, options: { reduction: 'none' } },
    {
      'a gradient over gradOutput': overGradient((within) => ({
        call: { gradOutput: within(shape) },
      })),
      'a gradient over the targets of a device': overGradient((within) => ({
        labels: within(shape),
      })),
    },
  ),
  ...group('grad', inBackward, {
    'a gradient over the normalizer': overGradient((within) => ({
      call: { normalizer: within([1]) },
    })),
    'a gradient 1 element off the logits': overGradient((within) => ({
      logits: within(shape, 4n),
    })),
  }),
];

export const DEVICE_REFUSALS: readonly Refusal[] = [...tensors, ...scalars, ...inMemory];
