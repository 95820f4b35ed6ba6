import { casesOf, expectRefusal, waysOf } from '../reference/refusals/expect-refusal';
import { REFUSALS } from '../reference/refusals/table';

describe.each(waysOf())('a call of $name is refused, and nothing has changed, for', (way) => {
  test.each(casesOf(REFUSALS, way))('%s, of %s', async (_, __, row, one) => {
    await expectRefusal(row, one, way);
  });
});
