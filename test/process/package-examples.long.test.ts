import { cpSync, existsSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, root, runNode } from './child';
import { hasTools } from './tools';
import { installPacked, type UserProject } from './user-project';

const minutes = 60_000;

let project: UserProject;
beforeAll(async () => {
  project = await installPacked();
}, 5 * minutes);
afterAll(() => {
  rmSync(project.folder, { recursive: true, force: true });
});

const hasCompiler = hasTools('The example in C from the packed package', 'cc', 'make', 'python3');
// The demonstration has a test of its own, and takes minutes.
const examples = readdirSync(path.join(root, 'examples'))
  .filter((name) => existsSync(path.join(root, 'examples', name, 'package.json')))
  .filter((name) => name !== 'long-tailed-detection' && (name !== 'c-addon' || hasCompiler));

describe('the examples for embedding', () => {
  test.each(examples)(
    '%s runs from the packed package',
    async (name) => {
      // Its own dependencies come from where run-example.mjs installs them.
      const own = path.join(root, 'examples', name);
      const install = path.join(root, 'scripts', 'install-dependencies.mjs');
      expectSuccess(await runNode([install, own]));
      const copy = path.join(project.folder, 'examples', name);
      // A tsconfig.json maps the package to the sources of this repository.
      const isSource = (file: string): boolean =>
        !/node_modules|build$|tsconfig/.test(path.basename(file));
      cpSync(own, copy, { recursive: true, filter: isSource });
      const dependencies = path.join(own, 'node_modules');
      if (existsSync(dependencies)) symlinkSync(dependencies, path.join(copy, 'node_modules'));
      const { scripts } = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')) as {
        scripts: { start: string };
      };
      expectSuccess(await runNode(scripts.start.split(' ').slice(1), { cwd: copy }));
    },
    3 * minutes,
  );
});
