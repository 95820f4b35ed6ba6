/** The report as Markdown that is also a readable table in a terminal. Needs no library. */
import type { Report } from './report';
import { introduction, isTable, sectionsOf, titleOf, type Part } from './sections';
import type { Table } from './tables';

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

/** Padded, as Prettier has it: what is committed needs no formatting after it. */
export function markdownTable({ head, figures, rows }: Table): string {
  const cells = [head, ...rows].map((row) => row.map(escaped));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const padded = (row: readonly string[]): string =>
    line(row.map((cell, i) => (figures[i]! ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))));
  const rule = line(
    widths.map((width, i) => (figures[i]! ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  );
  return [padded(cells[0]!), rule, ...cells.slice(1).map(padded)].join('\n');
}

/** A bar would start a new cell, a line break a new row. */
function escaped(cell: string): string {
  return cell.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}
