import { spawn } from 'node:child_process';
import path from 'node:path';
import { peerFolder } from './host/packages';
import { nodeCommand } from './process/contender-process';
import type { Figure } from './report/report';

/** Runs a program of this folder that prints figures as JSON. */
export function figuresFrom(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<readonly Figure[]> {
  const [command, ...rest] = nodeCommand(path.join(__dirname, name), args);
  const NODE_PATH = peerFolder();
  const child = spawn(command, rest, {
    env: { ...process.env, ...(NODE_PATH !== undefined && { NODE_PATH }), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Figure[]);
      else reject(new Error(`${name} ended with code ${code ?? '?'}`));
    });
  });
}
