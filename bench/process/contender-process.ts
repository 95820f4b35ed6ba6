import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Listed } from '../contenders';
import type { Failed, Request } from './protocol';

/** No contender may keep the others waiting for longer. */
const patienceMilliseconds = 5 * 60_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * The command that runs a program of the benchmark, compiled or not, named by its path without an
 * ending. The options of this process itself (`process.execArgv`) are not in it: with `node -e` they
 * would start the same run over and over.
 */
export function nodeCommand(program: string, args: readonly string[]): [string, ...string[]] {
  const extension = path.extname(__filename);
  const runner = extension === '.ts' ? typescriptRunner() : [];
  return [process.execPath, ...runner, `${program}${extension}`, ...args];
}

function typescriptRunner(): string[] {
  const project = path.join(__dirname, '..', 'tsconfig.json');
  return [require.resolve('ts-node/dist/bin'), '--project', project];
}

interface Waiting {
  resolve(answer: object): void;
  reject(error: Error): void;
}

/** The process of one contender, asked for one thing at a time. */
export class ContenderProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #waiting: Waiting | undefined;
  #ended: string | undefined;
  #complaints = '';

  constructor({ file, id, program, environment }: Listed) {
    const [command, ...args] = program ?? nodeCommand(path.join(__dirname, 'child'), [file, id]);
    this.#child = spawn(command, args, { env: { ...process.env, ...environment } });
    running.add(this.#child);
    this.#child.once('error', (error) => {
      this.#end(error.message);
    });
    this.#child.once('close', (code, signal) => {
      this.#end(
        `its process ended with ${signal ?? `code ${code ?? '?'}`}${this.#lastComplaint()}`,
      );
    });
    this.#child.stdin.on('error', () => undefined); // it has ended, which is reported by 'close'
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#read(line);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-4000);
    });
  }

  /** Rejects with the reason where it fails, ends or takes too long. */
  async request<Answer extends object>(request: Request): Promise<Answer> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    const timer = setTimeout(() => {
      this.#end(`no answer within ${patienceMilliseconds / 1000} s`);
      this.#child.kill('SIGKILL');
    }, patienceMilliseconds);
    try {
      const answer = await new Promise<object>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#child.stdin.write(`${JSON.stringify(request)}\n`);
      });
      const { error } = answer as Partial<Failed>;
      if (error !== undefined) throw new Error(error);
      return answer as Answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process; resolves when its memory is free. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL'); // it holds nothing that would have to be saved
    await closed;
  }

  #read(line: string): void {
    const answer = parseObject(line);
    if (answer === undefined) process.stderr.write(`${line}\n`);
    else this.#waiting?.resolve(answer);
  }

  #end(reason: string): void {
    running.delete(this.#child);
    this.#ended ??= reason;
    this.#waiting?.reject(new Error(this.#ended));
  }

  #lastComplaint(): string {
    const last = this.#complaints.trim().split('\n').at(-1);
    return last ? `: ${last}` : '';
  }
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
