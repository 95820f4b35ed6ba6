import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss } from '../../lib';
import { encodeSafetensors } from '../reference/safetensors';
import { runFixture, runNode } from './child';

interface Failure {
  readonly name?: string;
  readonly argument?: string;
  readonly received?: string;
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'efl-files-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const fileNamed = (name: string): string => path.join(folder, name);

async function act(action: 'save' | 'load', file: string, ...settings: string[]): Promise<Failure> {
  const { stdout, stderr } = await runFixture('state-files.cjs', [action, file, ...settings]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Failure;
}

function makeFifo(name: string): string {
  const file = fileNamed(name);
  expect(spawnSync('mkfifo', [file]).status).toBe(0);
  return file;
}

/** The positive sum that was saved. */
function sumIn(file: string, numClasses = 3): number | undefined {
  const criterion = new EqualizedFocalLoss({ numClasses });
  criterion.loadState(file);
  return criterion.statistics.positive.at(-1);
}

const modeOf = (file: string): string => (statSync(file).mode & 0o7777).toString(8);

describe('saveState', () => {
  test('writes what a link leads to, through links and before there is a file', async () => {
    mkdirSync(fileNamed('real'));
    symlinkSync('real', fileNamed('directory'));
    symlinkSync('../real/new', fileNamed('real/second'));
    symlinkSync('directory/second', fileNamed('first'));
    for (const sum of [1, 2]) {
      expect(await act('save', fileNamed('first'), `sum=${sum}`)).toEqual({});
      expect(sumIn(fileNamed('real/new'))).toBe(sum);
    }
    expect(readlinkSync(fileNamed('first'))).toBe('directory/second');
    expect(readlinkSync(fileNamed('real/second'))).toBe('../real/new');
    expect(lstatSync(fileNamed('real/new')).isFile()).toBe(true);
    expect(readdirSync(fileNamed('real')).sort()).toEqual(['new', 'second']);
  });

  test('refuses links that lead to each other', async () => {
    symlinkSync('b', fileNamed('a'));
    symlinkSync('a', fileNamed('b'));
    const { argument, received } = await act('save', fileNamed('a'));
    expect(argument).toBe('path');
    expect(received).toContain('ELOOP');
  });

  test('refuses a file with two names, and both keep what they have', async () => {
    writeFileSync(fileNamed('one'), 'as it was');
    linkSync(fileNamed('one'), fileNamed('two'));
    expect(await act('save', fileNamed('one'))).toMatchObject({
      name: 'EflArgumentError',
      argument: 'path',
      received: expect.stringContaining('a file with 2 names, hard links') as string,
    });
    expect(readFileSync(fileNamed('one'), 'utf8')).toBe('as it was');
    expect(statSync(fileNamed('two')).nlink).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(['one', 'two']);
  });

  test('refuses a FIFO, which stays one', async () => {
    const file = makeFifo('fifo');
    const { argument, received } = await act('save', file);
    expect([argument, received]).toEqual(['path', 'a FIFO, not a regular file']);
    expect(lstatSync(file).isFIFO()).toBe(true);
  });

  test('refuses a device', async () => {
    const { argument, received } = await act('save', '/dev/null', 'renames-nothing');
    expect([argument, received]).toEqual(['path', 'a device, not a regular file']);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('keeps the mode of a file, and its owner as far as it may', async () => {
    const file = fileNamed('private');
    writeFileSync(file, '');
    const owner = process.getuid!() === 0 ? 12345 : process.getuid!();
    const group = process.getuid!() === 0 ? 23456 : process.getgid!();
    chownSync(file, owner, group);
    for (const mode of ['600', '640', '666', '604']) {
      chmodSync(file, parseInt(mode, 8));
      expect(await act('save', file)).toEqual({});
      expect(modeOf(file)).toBe(mode);
      expect([statSync(file).uid, statSync(file).gid]).toEqual([owner, group]);
    }
  });

  test('gives a new file the mode that the umask leaves', async () => {
    const before = process.umask(0o027);
    try {
      expect(await act('save', fileNamed('new'))).toEqual({});
    } finally {
      process.umask(before);
    }
    expect(modeOf(fileNamed('new'))).toBe('640');
  });

  test('leaves a file alone that may not be written', async () => {
    chmodSync(folder, 0o777);
    writeFileSync(fileNamed('locked'), 'as it was');
    chmodSync(fileNamed('locked'), 0o444);
    const { argument, received } = await act('save', fileNamed('locked'), 'as-nobody');
    expect(argument).toBe('path');
    expect(received).toContain('EACCES');
    expect(readFileSync(fileNamed('locked'), 'utf8')).toBe('as it was');
    expect(readdirSync(folder)).toEqual(['locked']);
  });

  test('writes where it may write but not list', async () => {
    mkdirSync(fileNamed('closed'));
    chmodSync(fileNamed('closed'), 0o333);
    chmodSync(folder, 0o777);
    expect(await act('save', fileNamed('closed/state'), 'as-nobody')).toEqual({});
    chmodSync(fileNamed('closed'), 0o777);
    expect(readdirSync(fileNamed('closed'))).toEqual(['state']);
  });

  test('cleans up after a process that was killed while it saved, and after no other', async () => {
    const file = fileNamed('state');
    expect(await act('save', file, 'sum=5')).toEqual({});
    for (let times = 0; times < 3; times++) {
      const { signal } = await runFixture('state-files.cjs', ['save', file, 'killed']);
      expect(signal).toBe('SIGKILL');
    }
    expect(sumIn(file)).toBe(5);
    // Each has cleaned up after the one before.
    expect(readdirSync(folder)).toHaveLength(2);
    const [orphan] = readdirSync(folder).filter((name) => name !== 'state');
    const alive = orphan!.replace(/\d+-(?=[0-9a-f]+\.tmp$)/, `${process.pid}-`);
    const ofAnother = orphan!.replace(/^\.efl-[0-9a-f]+/, '.efl-0123456789ab');
    writeFileSync(fileNamed(alive), '');
    writeFileSync(fileNamed(ofAnother), '');
    expect(await act('save', file, 'sum=6')).toEqual({});
    expect(readdirSync(folder).sort()).toEqual([alive, ofAnother, 'state'].sort());
    // No save takes hours: the number is of another process by now.
    utimesSync(fileNamed(alive), 1, 1);
    expect(await act('save', file, 'sum=7')).toEqual({});
    expect(readdirSync(folder).sort()).toEqual([ofAnother, 'state']);
    expect(sumIn(file)).toBe(7);
  });

  test('by several processes at once leaves the state of one of them, at any time', async () => {
    const file = fileNamed('shared');
    const numClasses = 5000;
    const save = (sum: number): Promise<Failure> =>
      act('save', file, `sum=${sum}`, 'times=50', `classes=${numClasses}`);
    await act('save', file, 'sum=1', `classes=${numClasses}`);
    let isDone = false;
    const all = Promise.all([1, 2, 3].map(save)).finally(() => (isDone = true));
    while (!isDone) {
      expect([1, 2, 3]).toContain(sumIn(file, numClasses));
      await new Promise(setImmediate);
    }
    expect(await all).toEqual([{}, {}, {}]);
    expect(readdirSync(folder)).toEqual(['shared']);
  });
});

describe('loadState', () => {
  test('refuses a FIFO that nobody writes to, and does not wait', async () => {
    const { argument, received } = await act('load', makeFifo('fifo'));
    expect([argument, received]).toEqual(['path', 'a FIFO, not a regular file']);
  });

  test.each(['/dev/zero', '/dev/null'])('refuses the device %s', async (device) => {
    const { argument, received } = await act('load', device);
    expect([argument, received]).toEqual(['path', 'a device, not a regular file']);
  });

  test('refuses a socket', async () => {
    const server = createServer().listen(fileNamed('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const { argument, received } = await act('load', fileNamed('socket'));
    await new Promise((resolve) => server.close(resolve));
    expect([argument, received]).toEqual(['path', 'a socket, not a regular file']);
  });

  // Ten megabytes, of which a tree would not fit in this heap.
  test.each<[string, string, string, string]>([
    ['an entry with a list of objects', '{"a":[', '{}', ']}'],
    ['a shape without end', '{"a":{"dtype":"U8","shape":[', '1', '],"data_offsets":[0,1]}}'],
    [
      'objects under a key that is not known',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":[',
      '{}',
      ']}}',
    ],
    ['empty tensors', '{', '"%":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}', '}'],
  ])('refuses a header full of %s with little memory', async (_, start, item, end) => {
    const items = Array.from({ length: Math.floor(1e7 / (item.length + 1)) }, (_, index) =>
      item.replace('%', index.toString(36)),
    );
    const file = fileNamed('huge');
    writeFileSync(file, encodeSafetensors(`${start}${items.join(',')}${end}`, Buffer.alloc(0)));
    const { signal, stderr, stdout } = await runNode([
      '--max-old-space-size=96',
      path.join(__dirname, 'fixtures', 'state-files.cjs'),
      ...['load', file],
    ]);
    expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'EflArgumentError', argument: 'path' });
  });

  test('reads through a link', async () => {
    expect(await act('save', fileNamed('state'))).toEqual({});
    symlinkSync('state', fileNamed('link'));
    expect(await act('load', fileNamed('link'))).toEqual({});
  });
});
