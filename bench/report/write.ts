import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { picturesOf, type Picture } from './pictures';
import { reasonNotToDraw } from './draw';
import { htmlOf } from './html';
import { markdownOf } from './markdown';
import type { Report } from './report';

/** Stores a report as JSON, Markdown, a page and its pictures; returns the files' paths. */
export async function writeReport(report: Report, folder: string): Promise<string[]> {
  // First what is dear: nothing that fails later can lose it.
  const json = write(folder, 'report.json', `${JSON.stringify(report, null, 2)}\n`);
  const markdown = write(folder, 'report.md', markdownOf(report));
  const pictures = await picturesWherePossible(report);
  const page = write(folder, 'report.html', htmlOf(report, pictures));
  return [
    json,
    markdown,
    page,
    ...pictures.map(({ name, svg }) => write(folder, `${name}.svg`, svg)),
  ];
}

async function picturesWherePossible(report: Report): Promise<Picture[]> {
  if (report.workloads.length + report.studies.length === 0) return []; // a run on a GPU has none
  const reason = reasonNotToDraw();
  if (reason === undefined) return picturesOf(report);
  process.stderr.write(`No pictures are drawn: ${reason}\n`);
  return [];
}

function write(folder: string, name: string, content: string): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}
