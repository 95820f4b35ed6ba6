import type { CudaStream } from '../cuda/cuda-stream';
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { CheckOne } from '../tensors/counterparts';
import type { CheckedLogits, ReadTensor } from '../tensors/logits';
import type { Sharing } from '../tensors/memory';
import type { CheckedCall, OnDevice, OnHost } from './checked-call';

/** How the arguments of a call are read where its logits are. `Place` says what is made of them. */
export interface ArgumentReader<Place extends OnHost | OnDevice> extends Sharing {
  readonly logits: ReadTensor<Place['logits']>;
  /** Labels or targets of one tensor, each property read once. */
  readonly labelsOrTargets: (argument: string, value: unknown) => unknown;
  areTargets(given: unknown): boolean;
  readonly labels: CheckOne<Place['labels'], Place['logits']>;
  readonly targets: CheckOne<Place['floats'], Place['logits']>;
  readonly quality: CheckOne<Place['floats'], Place['logits']>;
  readonly gradOutput: CheckOne<Place['floats'], Place['logits']>;
  readonly grad: CheckOne<Place['logits'], Place['logits']>;
  readonly rowWeight: CheckOne<Place['floats'], Place['logits']>;
  readonly mask: CheckOne<Place['bytes'], Place['logits']>;
  readonly classMask: (
    argument: string,
    value: unknown,
    classes: number,
    logits: CheckedLogits<Place['logits']>,
  ) => Place['bytes'];
  /** Whether the gradient may be written over gradOutput. */
  readonly overGradOutput: boolean;
  /** A number that is in memory. */
  scalar?(argument: string, value: unknown, logits: CheckedLogits<Place['logits']>): CudaTensor;
  stream?(stream: unknown, logits: CheckedLogits<Place['logits']>): CudaStream | undefined;
  /** What can be said only when no code of the caller runs any more. */
  lastLook?(call: CheckedCall<Place>): void;
}
