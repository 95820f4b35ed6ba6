import { spawn } from 'node:child_process';
import { nodeCommand } from './contender-process';
import { peerFolder } from './optional';
import type { Figure } from './report/report';

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs a program of this folder that prints figures as JSON. */
export function figuresFrom(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<readonly Figure[]> {
  const [command, ...rest] = nodeCommand(name, args);
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
