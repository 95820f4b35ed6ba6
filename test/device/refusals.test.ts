import { DEVICE_REFUSALS } from '../reference/refusals/device';
import { casesOf, expectRefusal, waysOf } from '../reference/refusals/expect-refusal';
import { REFUSALS } from '../reference/refusals/table';
import { describeOnDevice } from './emulated';

const table = [...REFUSALS, ...DEVICE_REFUSALS];

describeOnDevice('a call on device tensors', () => {
  describe.each([
    ['labels of the host', 'logits'],
    ['all arrays on the device', 'everything'],
  ] as const)('with %s', (_, upload) => {
    describe.each(waysOf(upload))('by $name is refused, and nothing has changed, for', (way) => {
      test.each(casesOf(table, way))('%s, of %s', async (__, ___, row, one) => {
        await expectRefusal(row, one, way);
      });
    });
  });
});
