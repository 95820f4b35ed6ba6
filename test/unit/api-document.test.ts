/** docs/api.md names all there is, with the defaults that core has. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as library from '../../lib';
import { addon } from '../../lib/binding/load';
import { callKinds } from '../../lib/calls/call-options';

const read = (file: string): string =>
  readFileSync(path.join(__dirname, '..', '..', 'docs', file), 'utf8');
const api = read('api.md');
const rows = api.split('\n').filter((line) => line.startsWith('|'));
const cellsOf = (row: string): string[] => row.split('|').map((cell) => cell.trim());

const isError = (name: string): boolean => name.startsWith('Efl');
const losses = Object.keys(library).filter((name) => /Loss(V2)?$/.test(name));

test.each(Object.keys(library).filter((name) => !isError(name)))('it names %s', (name) => {
  expect(api).toMatch(new RegExp(`\\b${name}\\b`));
});

test.each(Object.keys(library).filter(isError))('docs/calls.md or cuda.md names %s', (name) => {
  expect(read('calls.md') + read('cuda.md')).toContain(`\`${name}\``);
});

const options = losses.flatMap((loss) =>
  addon()
    .lossOptions(loss)
    .map(({ name, fallback, required, kind }) => ({ name, fallback, required, kind, loss })),
);

test.each(options)('$name of $loss has its default', ({ name, fallback, required, kind, loss }) => {
  const all = rows.filter((line) => line.startsWith(`| \`${name}\` `));
  const own = all.find((line) => cellsOf(line)[2]!.includes(`\`${loss}\``));
  const row = own ?? all[0]!;
  const said = cellsOf(row).at(-2);
  if (required) expect(said).toBe('required');
  else if (kind === 'flag') expect(said).toBe(`\`${fallback}\``);
  else if (kind === 'number') expect(said).toBe(String(fallback ?? 'none'));
  else expect(said).toMatch(/^(all 1|0\.25|1|-1)$/); // some may be one number, too
});

test.each(callKinds.forwardBackwardAsync.names.device)(
  'the option %s of a call is there',
  (name) => {
    expect(rows.some((row) => row.startsWith(`| \`${name}\` `))).toBe(true);
  },
);
