/** What a call gives does not depend on how it is made. */
import { countsOf, expectSameOutput, expectSameState } from '../../reference/harness';
import type { Pair } from './pair';
import type { Method, Plan, Scenario } from './scenario';

/** Where the gradient goes, and whether the call is awaited. */
const MANNERS = (['forwardBackward', 'into', 'inPlace', 'transfer'] as const).flatMap((method) =>
  [false, true].map((asynchronous) => ({ method, asynchronous })),
);

/**
 * The calls of a scenario one after another, by a criterion for each way to make them: to the last bit
 * the same results and the same state.
 */
export async function expectSameBits(
  { plans, ...given }: Scenario,
  create: (scenario: Scenario) => Pair,
): Promise<void> {
  const fresh = (): Pair => create({ plans, ...given });
  const plain = fresh();
  const others = MANNERS.map((manner) => ({ manner, pair: fresh() }));
  for (const plan of plans.filter((each) => plain.can(each))) {
    const usual = { ...plan, ...made(plan, MANNERS[0]!), labelsAreTyped: true };
    const ahead = plan.method === 'collectGrad' ? undefined : await forward(plain, usual);
    const expected = await plain.run(usual);
    if (ahead) expectSameOutput(ahead, { ...expected, grad: undefined });
    for (const { manner, pair } of others) {
      const output = await pair.run(twinOf({ ...plan, ...made(plan, manner) }));
      if (plan.method === 'collectGrad') expect(countsOf(output)).toEqual(countsOf(expected));
      else expectSameOutput(output, expected);
      const state = plain.state();
      if (state) expectSameState(pair.state()!, state);
    }
  }
}

/** Without a gradient, and without a trace in the state. */
async function forward(pair: Pair, plan: Plan): ReturnType<Pair['run']> {
  const before = pair.state();
  const blocking = await pair.run({ ...plan, method: 'forward' });
  const waiting = await pair.run({ ...plan, method: 'forward', asynchronous: true });
  expectSameOutput(waiting, blocking);
  if (before) expectSameState(pair.state()!, before);
  return blocking;
}

function made({ method }: Plan, manner: { method: Method; asynchronous: boolean }): typeof manner {
  return method === 'collectGrad' ? { ...manner, method } : manner;
}

/** The same rows in another form: bare or in a tensor, one map or a list of one. */
function twinOf(plan: Plan): Plan {
  const { form, sizes } = plan;
  if (form === 'bare') return { ...plan, form: 'rows', dtype: 'float32' };
  if (form === 'rows' && plan.dtype === 'float32') return { ...plan, form: 'bare' };
  if (form === 'map') return { ...plan, form: 'list', sizes: sizes.slice(0, 1) };
  return form === 'list' && sizes.length === 1 ? { ...plan, form: 'map' } : plan;
}
