import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

/** Runs the benchmark, a program of its own, to its end. Resolves to the exit code. */
export function benchmark(args: readonly string[]): Promise<number> {
  const program = path.join(__dirname, '..', 'bench', 'user', 'main.js');
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  // It has processes to end and files to remove before it goes.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? 128 + constants.signals[signal!]);
    });
  });
}
