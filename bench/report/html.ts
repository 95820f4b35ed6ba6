/** The report as one page that needs nothing else: pictures inside, no scripts, light and dark. */
import type { Picture } from './pictures';
import type { Report } from './report';
import { introduction, isTable, sectionsOf, titleOf, type Part } from './sections';
import type { Table } from './tables';

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
  const title = escaped(titleOf(report));
  const sections = sectionsOf(report, pictures).flatMap((section) => [
    `<h2>${escaped(section.title)}</h2>`,
    ...section.parts.map(htmlPart),
  ]);
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
${[...introduction(report).map(htmlPart), ...sections].join('\n')}
</body>
</html>
`;
}

function htmlPart(part: Part): string {
  if (typeof part === 'string') return `<p>${escaped(part)}</p>`;
  return isTable(part) ? htmlTable(part) : htmlPicture(part);
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
