import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, runNode } from './child';

const sources = [
  ...['lib', 'native', 'bench', 'scripts'],
  ...['architecture.json', '.dependency-cruiser.mjs', 'CONTRIBUTING.md', 'tsconfig.json'],
];
const depcruise = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const checks = {
  rooms: ['scripts/check-rooms.mjs'],
  includes: ['scripts/check-includes.mjs'],
  imports: [depcruise, 'lib', 'bench'],
};

let copy: string;

beforeEach(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'efl-architecture-'));
  for (const file of sources) {
    cpSync(path.join(root, file), path.join(copy, file), {
      recursive: true,
      filter: (from) => path.basename(from) !== 'node_modules',
    });
  }
});

afterEach(() => {
  rmSync(copy, { recursive: true, force: true });
});

/** Adds lines to a file of the copy, which need not be there. */
function add(file: string, ...lines: string[]): void {
  mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
  appendFileSync(path.join(copy, file), `${lines.join('\n')}\n`);
}

function replace(file: string, old: string, by: string): void {
  const text = readFileSync(path.join(copy, file), 'utf8');
  expect(text).toContain(old);
  writeFileSync(path.join(copy, file), text.replace(old, by));
}

/** What a check that has to fail says, each fault in a line of its own. */
async function faultsOf(check: keyof typeof checks): Promise<string[]> {
  const { status, stdout, stderr } = await runNode(checks[check], { cwd: copy });
  expect(status).not.toBe(0);
  return `${stdout}${stderr}`
    .replaceAll(/→\s+/g, '→ ')
    .split('\n')
    .map((line) => line.trim());
}

/** The line that refuses a file the use of another, whatever else the table gives to its room. */
const refusal = (room: string, file: string, used: string): unknown =>
  expect.stringMatching(
    new RegExp(`^error ${room} may use .+, and no more: ${file} → ${used.replaceAll('.', '\\.')}$`),
  );

const circle = 'error files do not use each other in a circle:';

test('an import that the table does not have is refused, of types and in types too', async () => {
  add('lib/errors.ts', "import type { FocalLoss } from './criteria/focal-loss';");
  add('lib/tensors/new.ts', "export type Criterion = import('../criteria/criterion').Criterion;");
  add('bench/report/new.ts', "export * from '../../lib';");
  const faults = await faultsOf('imports');
  for (const [room, file, used] of [
    ['base of lib', 'lib/errors.ts', 'lib/criteria/focal-loss.ts'],
    ['lib/tensors', 'lib/tensors/new.ts', 'lib/criteria/criterion.ts'],
    ['bench/report', 'bench/report/new.ts', 'lib/index.ts'],
  ] as const) {
    expect(faults).toContainEqual(refusal(room, file, used));
  }
});

test('imports in a circle are refused within a room, those of types too', async () => {
  add('lib/state/a.ts', "import type { B } from './b';", 'export type A = B;');
  add('lib/state/b.ts', "import type { A } from './c';", 'export type B = A;');
  add('lib/state/c.ts', "export type { A } from './a';");
  const ways = ['a → b → c → a', 'b → c → a → b', 'c → a → b → c'];
  const lines = ways.map((way) => `${circle} ${way.replaceAll(/[abc]/g, 'lib/state/$&.ts')}`);
  const faults = await faultsOf('imports');
  expect(faults.filter((fault) => lines.includes(fault))).toHaveLength(1);
});

test('an #include that the table does not have is refused', async () => {
  add('native/core/problem.h', '#include "../cpu/cpu_backend.h"');
  add('native/cuda/new.cuh', '#  include "../cpu/pack.h"');
  add('native/c/new.cc', '#include "../cpu/cpu_backend.h"', '#include "../cpu/thread_pool.h"');
  const faults = await faultsOf('includes');
  expect(faults).toContainEqual(
    refusal('native/core', 'native/core/problem.h', 'native/cpu/cpu_backend.h'),
  );
  expect(faults).toContainEqual(refusal('native/cuda', 'native/cuda/new.cuh', 'native/cpu/pack.h'));
  expect(faults.filter((fault) => fault.includes('native/c/new.cc'))).toEqual([
    refusal('native/c', 'native/c/new.cc', 'native/cpu/thread_pool.h'),
  ]);
});

test('#include lines in a circle are refused within a room', async () => {
  add('native/cpu/a.h', '#include "b.inc"');
  add('native/cpu/b.inc', '#include "../cpu/a.h"');
  expect(await faultsOf('includes')).toContain(
    `${circle} native/cpu/a.h → native/cpu/b.inc → native/cpu/a.h`,
  );
});

test('an #include of a file that is not there is refused', async () => {
  add('native/cpu/new.h', '#include "core/problem.h"');
  expect(await faultsOf('includes')).toContain(
    'error a file that is included exists: native/cpu/new.h → native/cpu/core/problem.h',
  );
});

test('a file without a room is refused', async () => {
  add('lib/new/file.ts');
  add('native/new/file.cu');
  const faults = await faultsOf('rooms');
  for (const file of ['lib/new/file.ts', 'native/new/file.cu']) {
    expect(faults).toContain(`error every file is in a room of architecture.json: ${file}`);
  }
});

test('a room whose files are not there is refused', async () => {
  rmSync(path.join(copy, 'lib/errors.ts'));
  expect(await faultsOf('rooms')).toContain(
    'error the files of a room exist: base of lib has lib/errors.ts',
  );
});

test('a table in CONTRIBUTING.md that is not that of architecture.json is refused', async () => {
  replace('architecture.json', '"mayUse": ["native/include"]', '"mayUse": []');
  expect(await faultsOf('rooms')).toContainEqual(
    expect.stringMatching(
      /^error row \d+ of the rooms in CONTRIBUTING\.md: native\/core may use native\/include; in architecture\.json: native\/core may use nothing$/,
    ),
  );
});

test('rooms that would use each other in a circle are refused', async () => {
  replace('architecture.json', '"lib/binding": { "mayUse": [', '$&"lib/tensors", ');
  for (const check of ['rooms', 'includes', 'imports'] as const) {
    expect((await faultsOf(check)).join('\n')).toContain(
      'architecture.json: lib/binding may use lib/tensors, which is no room above it',
    );
  }
});
