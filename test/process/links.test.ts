/** Relative links and images: their targets and anchors exist; those of what ships ship, too. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, root, run } from './child';
import { documents } from './documents';

interface Link {
  readonly document: string;
  readonly target: string;
}

/** The package in npm, on whose page there is no repository beside the README. */
let packed: ReadonlySet<string>;

beforeAll(async () => {
  // Without prepack, which would build.
  const ended = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json']);
  expectSuccess(ended);
  const [report] = JSON.parse(ended.stdout) as { files: { path: string }[] }[];
  packed = new Set(report!.files.map((file) => file.path));
}, 60_000);

function textOf(document: string): string {
  const text = readFileSync(path.join(root, document), 'utf8');
  return text.replace(/^```[\s\S]*?^```$/gm, ''); // code is no text
}

function linksOf(document: string): Link[] {
  const links = [...textOf(document).matchAll(/\]\(([^)\s]+)\)/g)];
  return links.map(([, target]) => ({ document, target: target! }));
}

/** As GitHub and npm make it of a heading. */
function anchorOf(heading: string): string {
  const text = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return text.trim().replace(/\s/g, '-');
}

function anchorsOf(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
}

function placeOf({ document, target }: Link): { readonly file: string; readonly anchor: string } {
  const [file, anchor = ''] = target.split('#') as [string, string?];
  const place = path.posix.join(path.posix.dirname(document), file);
  return { file: file === '' ? document : place, anchor };
}

type Case = readonly [document: string, target: string, link: Link];

function casesOf(pages: readonly string[]): Case[] {
  const links = pages.flatMap(linksOf).filter(({ target }) => !/^[a-z]+:/.test(target));
  return links.map((link) => [link.document, link.target, link]);
}

const examples = readdirSync(path.join(root, 'examples'))
  .map((name) => `examples/${name}/README.md`)
  .filter((file) => existsSync(path.join(root, file)));
const shipped = documents()
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => file !== 'CONTRIBUTING.md');
const ofPackage = casesOf([...shipped, 'CHANGELOG.md', 'SECURITY.md']);
const ofRepository = casesOf([
  'CONTRIBUTING.md',
  'bench/README.md',
  'examples/README.md',
  ...examples,
]);

test('there are links to walk', () => {
  expect(ofPackage.length).toBeGreaterThan(20);
  expect(ofRepository.length).toBeGreaterThan(2);
});

test.each([...ofPackage, ...ofRepository])('%s: %s is there', (_, __, link) => {
  const { file, anchor } = placeOf(link);
  expect(existsSync(path.join(root, file))).toBe(true);
  if (anchor !== '') expect(anchorsOf(file)).toContain(anchor);
});

test.each(ofPackage)('%s: %s is in the package', (_, __, link) => {
  expect([...packed]).toContain(placeOf(link).file);
});
