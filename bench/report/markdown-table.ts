/** A table in Markdown, which is readable in a terminal, too. */
import type { Table } from './tables';

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
