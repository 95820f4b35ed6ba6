/** Relative links and images of what ships: their targets ship, too, and their anchors exist. */
import { existsSync, readFileSync } from 'node:fs';
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

const pages = [...documents(), 'CHANGELOG.md', 'SECURITY.md'].map((file) =>
  file.split(path.sep).join('/'),
);
const links = pages.flatMap(linksOf).filter(({ target }) => !/^[a-z]+:/.test(target));
const named = links.map((link) => [link.document, link.target, link] as const);

test('there are links to walk', () => {
  expect(links.length).toBeGreaterThan(20);
});

test.each(named)('%s: %s is there', (_, __, link) => {
  const { file, anchor } = placeOf(link);
  expect(existsSync(path.join(root, file))).toBe(true);
  if (anchor !== '') expect(anchorsOf(file)).toContain(anchor);
});

test.each(named.filter(([document]) => document !== 'CONTRIBUTING.md'))(
  '%s: %s is in the package',
  (_, __, link) => {
    expect([...packed]).toContain(placeOf(link).file);
  },
);
