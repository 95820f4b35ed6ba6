// Checks that what is here can be published, and packs it into release/:
//
//   node scripts/release.mjs [--without-cuda]
//
// Stops at the first thing that is not as it must be. --without-cuda leaves out the package with the
// library for GPUs, which takes nvcc about 12 minutes. How to publish: CONTRIBUTING.md.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './platform.mjs';
import { checksum } from './staging.mjs';

const { values: options } = parseArgs({ options: { 'without-cuda': { type: 'boolean' } } });
const cudaPackage = path.join('packages', 'equalized-focal-loss-cuda');
const output = path.join(root, 'release');

function fail(problem) {
  console.error(`Not ready for a release: ${problem}`);
  process.exit(1);
}

const read = (...parts) => readFileSync(path.join(root, ...parts), 'utf8');
const versionIn = (...folder) => JSON.parse(read(...folder, 'package.json')).version;

function run(what, command, args, env = {}) {
  console.log(`\n== ${what}`);
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } };
  if (spawnSync(command, args, options).status !== 0) fail(`${what} failed`);
}

function checkTree() {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: root });
  if (status !== 0) fail('this is no git repository');
  if (String(stdout).trim() !== '') fail(`there are changes that are not committed:\n${stdout}`);
}

function checkVersions() {
  const version = versionIn();
  const peer = JSON.parse(read('package.json')).peerDependencies['equalized-focal-loss-cuda'];
  const others = { 'lib/version.ts': /version = '(.*)'/.exec(read('lib', 'version.ts'))[1] };
  others['package-lock.json'] = JSON.parse(read('package-lock.json')).version;
  others[`${cudaPackage}/package.json`] = versionIn(cudaPackage);
  others['peerDependencies of package.json'] = peer;
  for (const [place, other] of Object.entries(others)) {
    if (other !== version) fail(`package.json has version ${version}, ${place} ${other}`);
  }
}

function checkChangelog() {
  const version = versionIn();
  const heading = read('CHANGELOG.md')
    .split('\n')
    .find((line) => line === `## ${version}` || line.startsWith(`## ${version} `));
  if (!heading) fail(`CHANGELOG.md has no entry for ${version}`);
  if (!/\d{4}-\d\d-\d\d/.test(heading)) fail(`CHANGELOG.md has no date for ${version}: ${heading}`);
}

checkTree();
checkVersions();
checkChangelog();
run('npm ci', 'npm', ['ci']);
run('Binaries', 'npm', ['run', 'build:release']);
run('TypeScript', 'npm', ['run', 'build:ts']);
if (!options['without-cuda']) {
  const env = { EFL_REQUIRE_NVCC: '1' };
  run('CUDA kernels', process.execPath, ['scripts/check-kernels.mjs'], env);
}
run(
  'Formats, checksums, glibc floor, size, and runs on each platform',
  'npx',
  ['jest', 'test/release'],
  {
    EFL_REQUIRE_RELEASE: '1',
    EFL_REQUIRE_KERNELS: '1',
  },
);
run('Tests', 'npm', ['test']);
run('The packed package', 'npm', ['run', 'check:package'], { EFL_REQUIRE_TOOLS: '1' });
rmSync(output, { recursive: true, force: true });
mkdirSync(output);
const folders = options['without-cuda'] ? [root] : [root, path.join(root, cudaPackage)];
for (const folder of folders) {
  run(`Pack ${path.relative(root, folder) || '.'}`, 'npm', [
    'pack',
    folder,
    '--pack-destination',
    output,
  ]);
}
checkTree();
console.log('\nReady for a release:');
for (const file of readdirSync(output))
  console.log(`  ${checksum(path.join(output, file))}  ${file}`);
