/** The report as Markdown. Needs no library. */
import { markdownTable } from './markdown-table';
import type { Report } from './report';
import { introduction, isTable, sectionsOf, titleOf, type Part } from './sections';

/** Without pictures. */
export function markdownOf(report: Report): string {
  const parts = [
    `# ${titleOf(report)}`,
    ...introduction(report),
    ...sectionsOf(report).flatMap(({ title, parts }) => [`## ${title}`, ...parts]),
  ];
  return `${parts.flatMap(markdownPart).join('\n\n')}\n`;
}

function markdownPart(part: Part): string[] {
  if (typeof part === 'string') return [part];
  return isTable(part) ? [markdownTable(part)] : [];
}
