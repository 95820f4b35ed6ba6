import { expectSuccess, runFixture, runNode, root } from './child';
import path from 'node:path';

const minutes = 60_000;

describe('worker threads', () => {
  test('eight workers load, compute and end, twice', async () => {
    expectSuccess(await runFixture('workers.cjs', ['load']));
  });

  test(
    'eighty workers are terminated with calls under way, and the process ends well',
    async () => {
      const ended = await runFixture('workers.cjs', ['terminate']);
      expectSuccess(ended);
      expect(ended.stdout).toBe('done\n');
    },
    2 * minutes,
  );

  test('main thread and worker use the addon side by side', async () => {
    expectSuccess(await runFixture('workers.cjs', ['main-and-worker']));
  });
});

describe('the end of the process', () => {
  test('process.exit with calls under way ends at once and well', async () => {
    expectSuccess(await runFixture('lifetime.cjs', ['exit']));
  });

  test("an uncaught error with calls under way ends with Node's own code", async () => {
    const { status, stderr } = await runFixture('lifetime.cjs', ['uncaught']);
    expect(status).toBe(1);
    expect(stderr).toContain('on purpose');
  });

  test('outstanding calls keep the process alive, an idle executor does not', async () => {
    const ended = await runFixture('lifetime.cjs', ['idle']);
    expectSuccess(ended);
    expect(ended.stdout).toBe('computed\n');
  });
});

test('asynchronous calls hold up neither the event loop nor file access', async () => {
  const ended = await runFixture('lifetime.cjs', ['event-loop'], {
    // The slowest way there is, so that the calls take longer than making them.
    env: { EFL_NUM_THREADS: '1', EFL_CPU_ISA: 'baseline' },
  });
  expectSuccess(ended);
  // Medians: a busy machine may hold up a round of any program. A call takes some 10 ms, twenty of
  // them would block for 200.
  const { rounds, delay, read } = JSON.parse(ended.stdout) as Record<string, number>;
  expect(rounds).toBeGreaterThan(5);
  expect(delay).toBeLessThan(20);
  expect(read).toBeLessThan(20);
});

test(
  'criteria and calls leave no memory behind, disposed of or not',
  async () => {
    const fixture = path.join(root, 'test', 'process', 'fixtures', 'lifetime.cjs');
    const ended = await runNode(['--expose-gc', fixture, 'memory']);
    expectSuccess(ended);
    const { grownBy } = JSON.parse(ended.stdout) as { grownBy: number };
    // Two thousand criteria with their calls come to 600 MB.
    expect(grownBy).toBeLessThan(40e6);
  },
  2 * minutes,
);
