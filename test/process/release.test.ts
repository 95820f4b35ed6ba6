/** What `npm run release` refuses before it builds anything. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode, type Ended } from './child';

const copies: string[] = [];
afterAll(() => {
  for (const folder of copies) rmSync(folder, { recursive: true, force: true });
});

/** What a release reads before it builds, in a repository of its own. */
async function copyRepository(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl-release-'));
  copies.push(folder);
  for (const part of [
    'scripts',
    'packages',
    'lib/version.ts',
    'package.json',
    'package-lock.json',
    'CHANGELOG.md',
  ]) {
    const filter = (file: string): boolean =>
      !/node_modules|prebuilds/.test(path.relative(root, file));
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true, filter });
  }
  expectSuccess(await run('git', ['init', '--quiet'], { cwd: folder }));
  return folder;
}

async function commit(cwd: string): Promise<void> {
  expectSuccess(await run('git', ['add', '--all'], { cwd }));
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  expectSuccess(await run('git', [...author, 'commit', '--quiet', '-m', 'all'], { cwd }));
}

const release = (folder: string): Promise<Ended> =>
  runNode([path.join(folder, 'scripts', 'release.mjs')], { cwd: folder });

function edit(folder: string, file: string, change: (text: string) => string): void {
  const name = path.join(folder, file);
  writeFileSync(name, change(readFileSync(name, 'utf8')));
}

test('a release is refused with changes that are not committed', async () => {
  const folder = await copyRepository();
  await commit(folder);
  appendFileSync(path.join(folder, 'CHANGELOG.md'), '\nmore\n');
  const { status, stderr } = await release(folder);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/not committed:\n M CHANGELOG\.md/)]);
});

test('a release is refused while the two packages differ in version', async () => {
  const folder = await copyRepository();
  const manifest = 'packages/equalized-focal-loss-cuda/package.json';
  edit(folder, manifest, (text) => text.replace(/"version": ".*"/, '"version": "9.9.9"'));
  await commit(folder);
  const { status, stderr } = await release(folder);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/cuda\/package\.json 9\.9\.9/)]);
});

test('a release is refused without a dated entry in the changelog', async () => {
  const folder = await copyRepository();
  edit(folder, 'CHANGELOG.md', (text) => text.replace(/^## .*$/m, '## 0.1.0 (unreleased)'));
  await commit(folder);
  const { status, stderr } = await release(folder);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/no date for 0\.1\.0/)]);
});
