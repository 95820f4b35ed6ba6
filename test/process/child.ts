import { spawn } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(__dirname, '..', '..');

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a program to its end and returns what it printed. */
export function run(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      resolve({ status, signal, stdout, stderr });
    });
  });
}

/** Runs Node.js on a fixture of this folder. */
export function runFixture(name: string, args: readonly string[] = [], options: ChildOptions = {}) {
  return runNode([path.join(__dirname, 'fixtures', name), ...args], options);
}

export function runNode(args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  return run(process.execPath, args, options);
}

/** What a user's shell would give: nothing of ours and nothing of the test runner's. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(EFL_|JEST_|NODE_OPTIONS|NODE_ENV|npm_)/.test(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Fails with everything the child said unless it ended well. */
export function expectSuccess(ended: Ended): void {
  const { status, signal, stdout, stderr } = ended;
  if (status !== 0) {
    throw new Error(
      `ended with ${status ?? signal ?? '?'}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`,
    );
  }
}
