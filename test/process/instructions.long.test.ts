/**
 * What an element costs in instructions, which no other load of the machine can change: a bound
 * against kernels that grow unnoticed. The counts are those of the compiler named in the file; with
 * another the bound is wider.
 *
 * `EFL_UPDATE_INSTRUCTIONS=1 npx jest instructions` writes the file again after an intended change.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, root, run } from './child';
import { hasTools } from './tools';

interface Recorded {
  readonly compiler: string;
  readonly instructionsPerElement: Record<string, Record<string, number>>;
}

const file = path.join(root, 'test', 'native', 'instructions.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const folder = path.join(root, 'build-cmake-tests', 'plain');
const program = path.join(folder, 'efl_instructions');
const updating = process.env['EFL_UPDATE_INSTRUCTIONS'] === '1';
/** Growth that counts: less is a compiler's patch release, or what compilers differ by. */
const tolerance = () => (ours === recorded.compiler ? 1.02 : 1.15);

/** The compiler that CMake takes: its name and major version. */
function compilerName(): string {
  const program = process.env['CXX'] ?? 'c++';
  const ask = (option: string) => spawnSync(program, [option], { encoding: 'utf8' }).stdout ?? '';
  const name = ask('--version').includes('clang') ? 'clang' : 'g++';
  return `${name} ${ask('-dumpversion').trim().split('.')[0]}`;
}

const ours = compilerName();
const tools = ['valgrind', 'cmake', 'objdump'];
const countable = hasX64() && hasTools('Instruction counts', ...tools);

function hasX64(): boolean {
  if (process.arch === 'x64') return true;
  console.warn(`Instruction counts: not checked, they are those of x64, this is ${process.arch}`);
  return false;
}

/** Instructions for each element of the whole program, as callgrind counts them. */
async function count(kernels: string, what: string, times: number): Promise<number> {
  const options = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const ended = await run('valgrind', [...options, program, kernels, what, String(times)]);
  expectSuccess(ended);
  const elements = Number(/^(\d+) elements/m.exec(ended.stdout)![1]);
  return Number(/Collected : (\d+)/.exec(ended.stderr)![1]) / elements;
}

async function perElement(kernels: string, what: string): Promise<number> {
  return (await count(kernels, what, 2)) - (await count(kernels, what, 1));
}

/** Of AVX-512, which valgrind cannot run: the length of the loop's function, for five registers. */
function perElementOfLoop(what: string): number {
  const outputs = { forward: 'ForwardOnly', gradient: 'WithGradient' }[what] ?? 'WithStatistics';
  const element = `(anonymous namespace)::GroupElement<efl::FocalElement, ${what === 'square'}>`;
  const kind = `${outputs}, ${element}, ((anonymous namespace)::Weights)0, false`;
  const domain = `((anonymous namespace)::Domain)${what === 'low' ? 2 : 1}`;
  const loop = `Rows<(anonymous namespace)::${kind}>::plain<5, ${domain}, false, false>(`;
  const object = 'CMakeFiles/efl_cpu.dir/native/cpu/kernels_avx512.cc.o';
  const args = ['-d', '-C', '--no-show-raw-insn', path.join(folder, object)];
  const { stdout } = spawnSync('objdump', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const listing = stdout.split('\n\n').find((part) => part.split('\n')[0]!.includes(loop))!;
  expect(listing).not.toMatch(/\tcall /); // which would hide what it calls
  return (listing.split('\n').length - 1) / (5 * 16);
}

const maybe = countable ? describe : describe.skip;

maybe('an element takes no more instructions than recorded', () => {
  const measured: Record<string, Record<string, number>> = {};
  const keep = (kernels: string, what: string, value: number): void => {
    (measured[kernels] ??= {})[what] = Number(value.toFixed(3));
  };

  beforeAll(async () => {
    const options = [
      '-DEFL_ADDON=OFF',
      '-DEFL_TESTS=ON',
      '-DEFL_SANITIZE=',
      '-DCMAKE_BUILD_TYPE=Release',
    ];
    expectSuccess(await run('cmake', ['-S', root, '-B', folder, ...options]));
    const build = ['--build', folder, '--parallel', '2', '--target', 'efl_instructions'];
    expectSuccess(await run('cmake', build));
  }, 300_000);

  afterAll(() => {
    if (!updating) return;
    const content: Recorded = { compiler: ours, instructionsPerElement: measured };
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  });

  const kinds = ['forward', 'gradient', 'statistics', 'square'];
  const cases = [
    ...['avx512', 'avx2', 'baseline'].flatMap((kernels) =>
      kinds.map((what) => [kernels, what] as const),
    ),
    ['avx512', 'low'] as const, // loss, gradient and statistics of low logits
  ];
  test.each(cases)(
    '%s, %s',
    async (kernels, what) => {
      const value = kernels === 'avx512' ? perElementOfLoop(what) : await perElement(kernels, what);
      expect(value).toBeGreaterThan(1);
      keep(kernels, what, value);
      if (updating) return;
      const bound = recorded.instructionsPerElement[kernels]![what]!;
      expect(value).toBeLessThanOrEqual(bound * tolerance());
    },
    60_000,
  );
});

test('docs/performance.md has the counts that are recorded', () => {
  const text = readFileSync(path.join(root, 'docs', 'performance.md'), 'utf8');
  const said =
    /they are ([\d.]+) with AVX2 and ([\d.]+) with SSE2 .*stands for them: ([\d.]+), and ([\d.]+) /;
  const cases = [
    ['avx2', 'statistics'],
    ['baseline', 'statistics'],
    ['avx512', 'statistics'],
    ['avx512', 'low'],
  ] as const;
  const counts = cases.map(([kernels, what]) =>
    recorded.instructionsPerElement[kernels]![what]!.toFixed(1),
  );
  expect(said.exec(text)?.slice(1)).toEqual(counts);
});
