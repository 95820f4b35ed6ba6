import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode } from '../process/child';
import { hasTools } from '../process/tools';

const withCompiler = hasTools('What is said of failing GPUs', 'g++') ? describe : describe.skip;

withCompiler('a library for GPUs that fails', () => {
  let folder: string;
  let library: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'efl-failing-'));
    library = path.join(folder, 'libfailing.so');
    const source = path.join(__dirname, 'fixtures', 'failing_library.cc');
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    const flags = ['-std=c++17', '-shared', '-fPIC', `-DEFL_VERSION="${version}"`];
    expectSuccess(await run('g++', [...flags, '-o', library, source]));
  }, 60_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['abi-mismatch', '0.0.1-other'],
    ['no-driver', 'libcuda.so.1'],
    ['driver-too-old', 'the driver is for CUDA 12.4, CUDA 13.0 is needed'],
    ['no-device', 'no NVIDIA GPU'],
    ['arch-unsupported', 'compute capability 6.1; this build has code for 75 80'],
    ['self-test-failed', 'cudaErrorSomething (719): something failed'],
  ])('%s is said, with what is known of it', async (reason, detail) => {
    const cli = path.join(root, 'dist', 'cli', 'main.js');
    const env = { EFL_CUDA_LIBRARY: library, FAILING: reason };
    const { status, stdout } = await runNode([cli, 'doctor', '--require', 'cuda'], { env });
    expect(status).toBe(1);
    expect(stdout).toContain(`unavailable (${reason})`);
    expect(stdout).toContain(detail);
  });

  test.each([
    ['makes room for another one where it finds no GPU', 'no-device', 'no-device'],
    [
      'keeps its place in the process where it finds one',
      'self-test-failed',
      'library-not-loadable',
    ],
  ])('%s', async (_, failing, reason) => {
    const other = path.join(folder, 'libother.so');
    copyFileSync(library, other);
    const program = `
      const { Worker } = require('node:worker_threads');
      const printReason =
        "console.log(require('${path.join(root, 'dist', 'index.js')}').backends()[1].reason)";
      eval(printReason);
      new Worker(printReason, { eval: true, env: { EFL_CUDA_LIBRARY: ${JSON.stringify(other)} } });`;
    const env = { EFL_CUDA_LIBRARY: library, FAILING: failing };
    const ended = await runNode(['-e', program], { env });
    expectSuccess(ended);
    expect(ended.stdout).toBe(`${failing}\n${reason}\n`);
  });

  test('whose kernel failed is a typed error where its results are waited for', async () => {
    const program = `
      const { CudaTensor } = require(${JSON.stringify(path.join(root, 'dist', 'index.js'))});
      const tensor = CudaTensor.fromHost(Float32Array.of(1, 2));
      try {
        tensor.toHost();
      } catch (error) {
        console.log(error.code, error.cudaErrorNumber);
      }`;
    const env = { EFL_CUDA_LIBRARY: library, FAILING: 'kernel-failed' };
    const ended = await runNode(['-e', program], { env });
    expectSuccess(ended);
    expect(ended.stdout).toBe('EFL_CUDA 719\n');
  });

  test('is a typed error where it is asked for, and none with auto', async () => {
    const program = `
      const { FocalLoss, EflBackendUnavailableError } = require(${JSON.stringify(path.join(root, 'dist', 'index.js'))});
      new FocalLoss({ numClasses: 2 }).forward(new Float32Array(2), [0]);
      try {
        new FocalLoss({ numClasses: 2, device: 'cuda' });
      } catch (error) {
        console.log(error instanceof EflBackendUnavailableError, error.reason);
      }`;
    const env = { EFL_CUDA_LIBRARY: library, FAILING: 'no-device' };
    const ended = await runNode(['-e', program], { env });
    expectSuccess(ended);
    expect(ended.stdout).toBe('true no-device\n');
  });
});
