import path from 'node:path';
import { expectSuccess, runNode } from '../process/child';
import { describeOnDevice } from './emulated';

describeOnDevice('memory of a device comes back', () => {
  test.each([
    ['with the garbage collection', 'gc'],
    ['with one that begins by itself', 'unasked'],
    ['and not before a graph lets go of its owner', 'owned'],
    ['when workers are terminated at work', 'terminate'],
    ['or goes with the process', 'exit'],
  ])('%s', async (_, what) => {
    const library = process.env['EFL_CUDA_LIBRARY'];
    const env = library ? { EFL_CUDA_LIBRARY: library } : {};
    const fixture = path.join(__dirname, 'fixtures', 'lifetime.cjs');
    const ended = await runNode(['--expose-gc', fixture, what], { env });
    expectSuccess(ended);
    expect(ended.stdout).toBe('done\n');
  });
});
