import path from 'node:path';
import { expectSuccess, root, runNode } from './child';

const minutes = 60_000;

// The bundlers, which are the rest of the matrix, have bundlers.long.test.ts.
test.each(['managers', 'runtimes', 'types', 'rules'])(
  'the packed package passes the matrix: %s',
  async (kind) => {
    const script = path.join(root, 'scripts', 'check-package.mjs');
    const { EFL_REQUIRE_TOOLS = '' } = process.env;
    const ended = await runNode([script, '--only', kind], { env: { EFL_REQUIRE_TOOLS } });
    expectSuccess(ended);
    if (ended.stdout.includes('not there')) console.warn(ended.stdout);
    expect(ended.stdout).toMatch(/^ok /m);
  },
  10 * minutes,
);

test('the matrix names the entries it has where it is asked for another', async () => {
  const script = path.join(root, 'scripts', 'check-package.mjs');
  const { status, stderr } = await runNode([script, '--only', 'npm,node-4']);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Unknown entry 'node-4': managers, .*, pnpm, .*, node-26, .*\.\n$/);
});
