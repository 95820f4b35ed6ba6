/** The report as one page that needs nothing else: pictures inside, no scripts, light and dark. */
import type { Picture } from './charts';
import type { Report, WorkloadResult } from './report';
import {
  distributionTable,
  figureTable,
  machineTable,
  resultTable,
  skippedTable,
  workloadTitle,
  type Table,
} from './tables';

const style = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; max-width: 62rem;
    margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.25rem 0.7rem; text-align: left; border-bottom: 1px solid #8886; }
  .figure { text-align: right; white-space: nowrap; }
  .missed { color: #d3321d; font-weight: 700; }
  figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; border-radius: 4px; }
`;

export function htmlOf(report: Report, pictures: readonly Picture[]): string {
  const title = escaped(`${report.package}: benchmark`);
  const common = pictures.filter(({ workload }) => workload === null).map(htmlPicture);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
${htmlTable(machineTable(report))}
${report.workloads.map((workload) => workloadSection(workload, pictures)).join('\n')}
${section('Distance from the memory roof, and scaling', common.join('\n'))}
${tableSection('Speed by distribution of values', distributionTable([report]))}
${tableSection('Figures', figureTable(report.figures))}
${tableSection('Skipped', skippedTable(report.workloads))}
</body>
</html>
`;
}

function workloadSection(workload: WorkloadResult, pictures: readonly Picture[]): string {
  const own = pictures.filter((picture) => picture.workload === workload).map(htmlPicture);
  const table = htmlTable(resultTable(workload));
  return section(workloadTitle(workload), [...own, table].join('\n'));
}

function tableSection(title: string, table: Table): string {
  return section(title, table.rows.length === 0 ? '' : htmlTable(table));
}

function section(title: string, content: string): string {
  return content === '' ? '' : `<h2>${escaped(title)}</h2>\n${content}`;
}

function htmlPicture({ description, svg }: Picture): string {
  const labelled = svg.replace('<svg', `<svg role="img" aria-label="${escaped(description)}"`);
  return `<figure>${labelled}</figure>`;
}

function htmlTable({ head, figures, rows }: Table): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]): string =>
    row.map((cell, i) => htmlCell(tag, cell, figures[i]!)).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n');
  const table = `<table>\n<tr>${cells('th', head)}</tr>\n${body}\n</table>`;
  return `<div class="wide">${table}</div>`;
}

function htmlCell(tag: 'th' | 'td', text: string, isFigure: boolean): string {
  const kind = text === 'MISSED' ? 'missed' : isFigure ? 'figure' : '';
  return `<${tag}${kind === '' ? '' : ` class="${kind}"`}>${escaped(text)}</${tag}>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
