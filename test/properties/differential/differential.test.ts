/**
 * Every loss with any options, called in every way on every kind of memory, beside the reference. It is
 * longer with `EFL_PROPERTY_RUNS=20000`, and another one with `EFL_PROPERTY_SEED=...`.
 */
import fc from 'fast-check';
import { onGpu } from '../../reference/compare';
import { expectSameOutput, expectSameState } from '../../reference/harness';
import { Pair } from './pair';
import { expectSameBits } from './same-bits';
import { scenario } from './scenario';
import { checkAsync } from '../support';

describe('calls of any criterion, one after another,', () => {
  test('give what the float64 reference gives', async () => {
    await checkAsync(
      fc.asyncProperty(scenario, async (given) => {
        const pair = new Pair(given);
        for (const plan of given.plans.filter((each) => pair.can(each))) await pair.call(plan);
      }),
      onGpu ? 60 : 600,
    );
  });

  test('give the same bits in whatever way they are made', async () => {
    await checkAsync(
      fc.asyncProperty(scenario, (given) => expectSameBits(given, (one) => new Pair(one))),
      onGpu ? 10 : 60,
    );
  });

  test('give the same bits when none waits for the one before', async () => {
    await checkAsync(
      fc.asyncProperty(scenario, async (given) => {
        const [patient, hasty] = [new Pair(given), new Pair(given)];
        const plans = given.plans.filter((plan) => patient.can(plan));
        const asynchronous = plans.map((plan) => ({ ...plan, asynchronous: true }));
        const outputs = asynchronous.map((plan) => hasty.run(plan));
        for (const [i, plan] of plans.entries()) {
          const [output, expected] = [await outputs[i]!, await patient.run(plan)];
          if (plan.method === 'collectGrad') expect(output).toEqual(expected);
          else expectSameOutput(output, expected);
        }
        const state = patient.state();
        if (state) expectSameState(hasty.state()!, state);
      }),
      onGpu ? 20 : 100,
    );
  });
});
