import fc from 'fast-check';
import type { CudaTensor } from '../../lib';
import { countsOf, wrong } from '../reference/harness';
import type { ImplementationOutput } from '../reference/harness';
import { uploaded } from '../reference/uploads';
import { argumentsOf } from '../properties/differential/arguments';
import type { Arguments } from '../properties/differential/arguments';
import { Pair } from '../properties/differential/pair';
import { expectSameBits } from '../properties/differential/same-bits';
import { scenario } from '../properties/differential/scenario';
import type { Plan } from '../properties/differential/scenario';
import { checkAsync } from '../properties/support';
import { describeOnDevice } from './emulated';

/** A criterion whose calls are made on device tensors. */
class OnDevice extends Pair {
  override async run(plan: Plan): Promise<ImplementationOutput> {
    const shaped: Plan = plan.form === 'bare' ? { ...plan, form: 'rows', dtype: 'float32' } : plan;
    const made = argumentsOf(shaped, this.scenario);
    return downloaded(await super.run(shaped, onDevice(made)));
  }
}

/** All on the device, but labels and qualities in plain lists: those are taken along. */
function onDevice({ sample, targets, logits, grad, call }: Arguments): Arguments {
  const tensors = uploaded(logits);
  const isTyped = sample.plan.labelsAreTyped || sample.dense !== undefined;
  const options = Object.entries({
    ...call,
    quality: uploaded(call['quality']),
    gradOutput: uploaded(call['gradOutput']),
    grad: grad === logits ? tensors : uploaded(grad),
  });
  return {
    sample,
    logits: wrong(tensors),
    targets: isTyped ? uploaded(targets) : targets,
    grad: undefined,
    call: Object.fromEntries(options.filter(([, value]) => value !== undefined)),
  };
}

type OnDeviceOutput = Partial<Record<'loss' | 'grad' | 'elements', CudaTensor | CudaTensor[]>>;

/** Results with the values of their tensors. */
function downloaded(output: ImplementationOutput): ImplementationOutput {
  const { loss, grad, elements } = output as unknown as OnDeviceOutput;
  const host = (tensors?: CudaTensor | CudaTensor[]): unknown =>
    Array.isArray(tensors) ? tensors.map((one) => one.toHost()) : tensors?.toHost();
  return wrong({
    ...countsOf(output),
    loss: (loss as CudaTensor | undefined)?.item(),
    grad: host(grad),
    elements: host(elements),
  });
}

describeOnDevice('calls on device tensors', () => {
  test('give the same bits in whatever way they are made', async () => {
    await checkAsync(
      fc.asyncProperty(scenario, (given) => expectSameBits(given, (one) => new OnDevice(one))),
      10,
    );
  });
});
