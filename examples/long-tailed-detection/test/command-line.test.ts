import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const example = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'long-tailed-detection-'));
after(() => {
  rmSync(directory, { recursive: true });
});

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the program; `interruptAt` sends one Ctrl-C when that text has appeared on stderr. */
function run(args: string[], interruptAt?: string): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], {
    cwd: example,
    env: { ...process.env, INIT_CWD: directory },
  });
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  let interrupted = false;
  child.stdout.on('data', (data: Buffer) => (outcome.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    outcome.stderr += data.toString();
    if (interruptAt === undefined || interrupted || !outcome.stderr.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ ...outcome, code });
    });
  });
}

const mistakes: [string, string[], RegExp][] = [
  ['an unknown option', ['--sede', '3'], /unknown option '--sede'/],
  ['an unknown loss', ['--loss', 'fl,qfl'], /'qfl' is not one of/],
  ['a number that is none', ['--epochs', 'many'], /'many' is invalid.*integer/],
  ['a number out of range', ['--classes', '1000'], /integer from 12 to 350/],
  ['a learning rate of nothing', ['--learning-rate', '0'], /number above 0/],
  ['a prior that is no probability', ['--prior', '1'], /between 0 and 1/],
  ['two ways to give seeds', ['--seed', '1', '--seeds', '1,2'], /either --seed or --seeds/],
  ['a superfluous argument', ['fast'], /too many arguments/],
  ['a run that is not there', ['--resume', 'nowhere'], /nothing to resume.*nowhere/],
  ['other settings for a resumed run', ['--resume', 'x', '--epochs', '3'], /leave --epochs out/],
];

for (const [what, args, message] of mistakes) {
  test(`${what} gives one line and exit code 2`, async () => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  });
}

test('a directory in use is left alone', async () => {
  writeFileSync(join(directory, 'file'), '');
  const { code, stderr } = await run(['--out', '.']);
  assert.equal(code, 2);
  assert.match(stderr, /is not empty/);
});

test('a damaged checkpoint gives one line and exit code 2', async () => {
  await run([...SMALL, '--out', 'damaged'], 'Focal Loss: started');
  for (const loss of ['fl', 'efl']) {
    writeFileSync(
      join(directory, 'damaged', 'checkpoints', `${loss}-seed21.safetensors`),
      'nonsense',
    );
  }
  const { code, stderr } = await run(['--resume', 'damaged']);
  assert.equal(code, 2);
  assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /safetensors is not a/);
});

test('--help lists the options', async () => {
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  for (const option of ['--loss', '--seeds', '--resume', '--scale-factor', '--quick']) {
    assert.ok(stdout.includes(option), option);
  }
});

const SMALL = ['--classes', '12', '--epochs', '16', '--loss', 'fl,efl'];

/** All figures, without what differs from run to run by nature. */
function figures(name: string): unknown {
  const text = readFileSync(join(directory, name, 'metrics.json'), 'utf8');
  return JSON.parse(text, (key, value: unknown) =>
    ['created', 'lossMilliseconds'].includes(key) ? undefined : value,
  );
}

test('Ctrl-C saves, --resume goes on to exactly the figures of an uninterrupted run', async () => {
  const whole = await run([...SMALL, '--out', 'whole']);
  assert.equal(whole.code, 0, whole.stderr);
  assert.match(whole.stdout, /Equalized Focal Loss +\d/);
  assert.ok(existsSync(join(directory, 'whole', 'report.html')));

  const interrupted = await run([...SMALL, '--out', 'parts'], 'Focal Loss: started');
  assert.equal(interrupted.code, 130, interrupted.stderr);
  assert.match(interrupted.stderr, /To go on: .* --resume parts/);
  assert.ok(existsSync(join(directory, 'parts', 'checkpoints', 'fl-seed21.safetensors')));
  assert.ok(!existsSync(join(directory, 'parts', 'metrics.json')));

  const resumed = await run(['--resume', 'parts']);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(figures('parts'), figures('whole'));
});
