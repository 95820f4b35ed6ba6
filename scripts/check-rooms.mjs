// Refuses a file without a room in architecture.json, a room without its files, and a table of the
// rooms in CONTRIBUTING.md that is another one.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeSources, roomOf, rooms, typescriptSources } from './architecture.mjs';
import { root } from './platform.mjs';

/** The first and the last cell of each row of the first table after `## The rooms`. */
function rowsOfDocument() {
  const text = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const [, table] = /^## The rooms$[^|]*((?:^\|.*\n)*)/m.exec(text);
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) => {
    const cells = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    return `${cells[1]} may use ${cells[3]}`;
  });
}

/** The first row in which the document and the table differ, as later ones may only have moved. */
function differenceOfDocument() {
  const shown = rowsOfDocument();
  const wanted = rooms.map(({ name, inWords }) => `${name} may use ${inWords}`);
  const length = Math.max(shown.length, wanted.length);
  const i = Array.from({ length }).findIndex((_, row) => shown[row] !== wanted[row]);
  if (i < 0) return [];
  const [has, should] = [shown[i], wanted[i]].map((row) => row ?? 'nothing');
  return [`row ${i + 1} of the rooms in CONTRIBUTING.md: ${has}; in architecture.json: ${should}`];
}

const faults = [
  ...[...typescriptSources(), ...nativeSources()]
    .filter((file) => roomOf(file) === undefined)
    .map((file) => `every file is in a room of architecture.json: ${file}`),
  ...rooms
    .flatMap(({ name, files }) => files.map((file) => [name, file]))
    .filter(([, file]) => !existsSync(path.join(root, file)))
    .map(([name, file]) => `the files of a room exist: ${name} has ${file}`),
  ...differenceOfDocument(),
];
for (const fault of faults) console.error(`error ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
