/** report.html: what a run has shown, from its finding to its settings. */
import type { RunDirectory } from '../experiment/run-directory.ts';
import { writeFileAtomically } from '../io/files.ts';
import { classSection } from './page/class-table.ts';
import {
  capSection,
  countSection,
  moreSection,
  ratioSection,
  recallSection,
  resultSection,
} from './page/figures.ts';
import { page } from './page/frame.ts';
import { pageHead } from './page/head.ts';
import { lengthSection } from './page/length-section.ts';
import { methodSection } from './page/method-section.ts';
import { sceneSection } from './page/scenes.ts';
import type { Summary } from './summary.ts';

export async function writeReport(directory: RunDirectory, summary: Summary): Promise<void> {
  const sections = [
    await resultSection(summary),
    ...(await capSection(summary)),
    await lengthSection(summary),
    ...(await countSection(summary)),
    await recallSection(summary),
    ...(await ratioSection(summary)),
    await sceneSection(summary),
    await moreSection(summary),
    classSection(summary),
    methodSection(directory, summary),
  ];
  const html = page({
    title: 'Long-tailed detection: what a run has shown',
    head: pageHead(directory, summary),
    sections,
    foot:
      '<p>All figures of this page, per class and per seed, are in ' +
      '<a href="metrics.json">metrics.json</a> beside it.</p>',
  });
  writeFileAtomically(directory.reportFile, html);
}
