import { expectSuccess, runFixture } from './child';

test.each(['keeps', 'throws'])(
  'a setter that all objects inherit is handed no native criterion (%s)',
  async (behaviour) => {
    expectSuccess(await runFixture('inherited-setter.cjs', [behaviour]));
  },
);
