import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss, version } from '../../lib';
import { addonPath } from '../../lib/binding/load';
import { packages as tensorflowPackages, example as tensorflow } from '../adapters/tfjs/tensorflow';
import { cudaPackageName } from '../../lib/version';
import { expectSuccess, root, run, runNode, type Ended } from './child';
import { installPacked, type UserProject } from './user-project';

const minutes = 60_000;
const bundlers = path.join(__dirname, 'fixtures', 'bundlers');
const name = 'equalized-focal-loss';
const platform = path.basename(path.dirname(addonPath()));

/** What the bundled program says of itself, computed and found, here and in a worker of its own. */
const program = `
  import { isMainThread, parentPort, Worker } from 'node:worker_threads';
  import { EqualizedFocalLoss, backends, version } from 'equalized-focal-loss';
  import { library } from 'equalized-focal-loss/native';

  const criterion = new EqualizedFocalLoss({ numClasses: 3 });
  const { loss } = criterion.forwardBackward(Float32Array.from([2, -1, 0.5]), [1]);
  const report = { loss, version, library, cuda: backends()[1].detail };
  if (isMainThread) {
    const worker = new Worker(process.argv[1]);
    worker.once('message', (inWorker) => console.log(JSON.stringify({ ...report, inWorker })));
  } else {
    parentPort.postMessage(report);
  }`;

const training = `
  import * as tf from '@tensorflow/tfjs-core';
  import { EqualizedFocalLoss } from 'equalized-focal-loss';
  import { tfLoss } from 'equalized-focal-loss/tfjs';

  console.log(typeof tfLoss(new EqualizedFocalLoss({ numClasses: 3 })), tf.version_core !== '');`;

interface Report {
  readonly loss: number;
  readonly version: string;
  readonly library: string;
  readonly cuda: string;
  readonly inWorker?: Report;
}

const folders: string[] = [];

function newFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'efl bundle-')));
  folders.push(folder);
  return folder;
}

let packed: UserProject;

/** An application with the packed package installed, and bundlers to bundle it with. */
function makeProject(): string {
  const project = newFolder();
  const modules = path.join(project, 'node_modules');
  mkdirSync(modules);
  const tools = path.join(bundlers, 'node_modules');
  for (const tool of readdirSync(tools).filter((file) => file !== '.package-lock.json')) {
    symlinkSync(path.join(tools, tool), path.join(modules, tool));
  }
  symlinkSync(path.join(tensorflowPackages, '@tensorflow'), path.join(modules, '@tensorflow'));
  cpSync(path.join(packed.folder, 'node_modules', name), path.join(modules, name), {
    recursive: true,
  });
  writeFileSync(path.join(project, 'package.json'), '{ "name": "my-app", "version": "9.9.9" }');
  mkdirSync(path.join(project, 'src'));
  writeFileSync(path.join(project, 'src', 'main.js'), program);
  writeFileSync(path.join(project, 'src', 'train.js'), training);
  return project;
}

/** A command of docs/bundling.md, with the files that the blocks above it are. */
interface Recipe {
  readonly heading: string;
  readonly files: ReadonlyMap<string, string>;
  readonly command: string;
}

function readRecipes(): Recipe[] {
  const text = readFileSync(path.join(root, 'docs', 'bundling.md'), 'utf8');
  const recipes: Recipe[] = [];
  let files = new Map<string, string>();
  for (const section of text.split(/^(?=##)/m)) {
    const heading = /^#+ (.*)$/m.exec(section)![1]!;
    for (const [, language, code] of section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
      if (language === 'sh') {
        recipes.push({ heading, files, command: code!.trim() });
        files = new Map();
      } else {
        files.set(/^\/\/ (\S+)$/m.exec(code!)![1]!, code!);
      }
    }
  }
  return recipes;
}

const recipes = readRecipes();
const copy = recipes.find(({ command }) => command.startsWith('cp '))!;
const train = recipes.find(({ command }) => command.includes('src/train.js'))!;
const bundling = recipes.filter((recipe) => recipe !== copy && recipe !== train);
const leftOut = bundling.filter(({ heading }) => heading === 'Left out');
const takenIn = bundling.filter(({ heading }) => heading !== 'Left out');

/** Follows a recipe in an application of its own; the file that was bundled. */
async function bundle({ files, command }: Recipe): Promise<string> {
  const project = makeProject();
  for (const [name, code] of files) writeFileSync(path.join(project, name), code);
  const ended = await run('sh', ['-c', command], { cwd: project });
  expectSuccess(ended);
  expect(ended.stdout + ended.stderr).not.toMatch(/warning/i);
  const out = path.join(project, 'out');
  return path.join(
    out,
    readdirSync(out).find((name) => /\.[cm]?js$/.test(name))!,
  );
}

/** Runs a bundle from a folder that has nothing to do with it. */
const runBundle = (file: string, env: Record<string, string> = {}): Promise<Ended> =>
  runNode([file], { cwd: tmpdir(), env });

async function reportOf(file: string, env: Record<string, string> = {}): Promise<Report> {
  const ended = await runBundle(file, env);
  expectSuccess(ended);
  return JSON.parse(ended.stdout) as Report;
}

/** Expects the right value, in a worker too, from the addon in a folder. */
function expectReport({ inWorker, ...report }: Report, folder: string): void {
  expect(report.version).toBe(version);
  expect(report.loss).toBeCloseTo(expectedLoss, 6);
  expect(path.dirname(report.library)).toBe(folder);
  expect(report.cuda).toContain(cudaPackageName);
  expect(inWorker).toEqual(report);
}

const expectedLoss = new EqualizedFocalLoss({ numClasses: 3 }).forward(
  Float32Array.from([2, -1, 0.5]),
  [1],
).loss;

beforeAll(async () => {
  const install = path.join(root, 'scripts', 'install-dependencies.mjs');
  for (const folder of [bundlers, tensorflow]) expectSuccess(await runNode([install, folder]));
  packed = await installPacked();
  folders.push(packed.folder);
}, 5 * minutes);

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const byName = (list: readonly Recipe[]): [string, Recipe][] =>
  list.map((recipe) => [recipe.command.replace(/^npx (\w+).*?(esm|\.[cm]js|)$/, '$1 $2'), recipe]);

test.each(byName(leftOut))(
  'left out of the bundle, the package is found where it is installed: %s',
  async (_, recipe) => {
    const file = await bundle(recipe);
    const installed = path.resolve(file, '..', '..', 'node_modules', name);
    expectReport(await reportOf(file), path.join(installed, 'prebuilds', platform));
  },
  minutes,
);

describe.each(takenIn.map((recipe) => [recipe.heading, recipe] as const))(
  'taken into the bundle: %s',
  (_, recipe) => {
    let inPlace: string;
    let moved: string;

    beforeAll(async () => {
      inPlace = await bundle(recipe);
      moved = path.join(newFolder(), path.basename(inPlace));
      cpSync(inPlace, moved);
    }, minutes);

    test('it runs in place', async () => {
      const installed = path.resolve(inPlace, '..', '..', 'node_modules', name);
      expectReport(await reportOf(inPlace), path.join(installed, 'prebuilds', platform));
    });

    test('moved by itself, it says where it looked and what to copy', async () => {
      const { status, stderr } = await runBundle(moved);
      const folder = path.dirname(moved);
      expect(status).toBe(1);
      expect(stderr).toContain('Could not load the native addon for');
      for (const place of [
        path.join(folder, 'efl.node'),
        path.join(folder, 'prebuilds', platform, 'efl.node'),
        path.join(path.dirname(folder), 'prebuilds', platform, 'efl.node'),
        path.join(folder, 'node_modules', name, 'prebuilds', platform, 'efl.node'),
      ]) {
        expect(stderr).toContain(`  tried  ${place}: no such file\n`);
      }
      const copied = path.join(folder, 'prebuilds');
      expect(stderr).toContain(`copy node_modules/${name}/prebuilds to ${copied}`);
      expect(stderr).toContain(`Details: docs/bundling.md of ${name}`);
      expect(stderr).not.toContain('my-app');
    });

    test('moved by itself, it takes the addon that EFL_BINARY names', async () => {
      const report = await reportOf(moved, { EFL_BINARY: addonPath() });
      expectReport(report, path.dirname(addonPath()));
    });

    test('moved with what the page says to copy, it runs', async () => {
      const project = path.resolve(inPlace, '..', '..');
      expectSuccess(await run('sh', ['-c', copy.command], { cwd: project }));
      const folder = newFolder();
      cpSync(path.join(project, 'out'), folder, { recursive: true });
      const file = path.join(folder, path.basename(inPlace));
      expectReport(await reportOf(file), path.join(folder, 'prebuilds', platform));
    });

    test('moved with nothing but the addon beside it, it runs', async () => {
      const folder = newFolder();
      const file = path.join(folder, path.basename(inPlace));
      cpSync(inPlace, file);
      cpSync(addonPath(), path.join(folder, 'efl.node'));
      expectReport(await reportOf(file), folder);
    });
  },
);

test(
  'an addon of another version is refused, with what to do about it',
  async () => {
    const file = await bundle(takenIn[0]!);
    const bundled = readFileSync(file, 'utf8');
    const folder = newFolder();
    cpSync(addonPath(), path.join(folder, 'efl.node'));
    writeFileSync(path.join(folder, 'main.js'), bundled.replaceAll(`"${version}"`, '"99.1.2"'));
    const { stderr } = await runBundle(path.join(folder, 'main.js'));
    expect(stderr).toContain(`JS 99.1.2, binary ${version}`);
    expect(stderr).toContain('bundle and copy prebuilds/ from one version of equalized-focal-loss');
  },
  minutes,
);

test(
  'the adapter of TensorFlow.js is bundled beside TensorFlow.js',
  async () => {
    const ended = await runBundle(await bundle(train));
    expectSuccess(ended);
    expect(ended.stdout).toBe('function true\n');
  },
  minutes,
);
