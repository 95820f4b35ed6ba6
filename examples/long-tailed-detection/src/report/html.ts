/** The frame of the report: one page that needs nothing from outside. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}

const STYLE = `
  body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2430;
    max-width: 920px; margin: 2.5rem auto; padding: 0 1.25rem; background: white; }
  h1 { font-size: 1.7rem; margin-bottom: .2rem; }
  h2 { font-size: 1.2rem; margin-top: 2.4rem; border-bottom: 1px solid #e1e4e8; padding-bottom: .3rem; }
  .lead, figcaption, small { color: #5a6675; }
  table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
  th, td { padding: .35rem .9rem; text-align: right; border-bottom: 1px solid #e1e4e8; }
  th:first-child, td:first-child { text-align: left; }
  tr.difference td { color: #5a6675; font-style: italic; }
  figure { margin: 1.2rem 0; }
  figure > svg { max-width: 100%; height: auto; }
  figcaption { font-size: .9rem; max-width: 680px; }
  .scene { display: flex; gap: 1rem; margin: 1rem 0 1.6rem; }
  .scene figure { flex: 1; margin: 0; min-width: 0; }
  .scene svg { width: 100%; image-rendering: pixelated; border-radius: 4px; }
  .scene ul { list-style: none; padding: 0; margin: .4rem 0; font-size: .82rem; line-height: 1.45; }
  .hit { color: #128a3a; } .miss { color: #c62828; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; }
  dt { color: #5a6675; } dd { margin: 0; overflow-wrap: anywhere; }
`;

export function page(title: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${sections.join('\n')}
</body>
</html>
`;
}

export const section = (title: string, ...content: readonly string[]): string =>
  `<h2>${escapeHtml(title)}</h2>\n${content.join('\n')}`;

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

export const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;

/** `svg` is trusted markup; the caption is text. */
export const figure = (svg: string, caption: string): string =>
  `<figure>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;

export interface TableRow {
  cells: readonly string[];
  className?: string;
}

export function table(header: readonly string[], rows: readonly TableRow[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  const body = rows.map(({ cells, className }) => {
    const attribute = className ? ` class="${className}"` : '';
    return `<tr${attribute}>${line(cells, 'td')}</tr>`;
  });
  return `<table><thead><tr>${line(header, 'th')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

export function definitions(entries: readonly (readonly [string, string])[]): string {
  const items = entries.map(
    ([term, text]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<dl>${items.join('')}</dl>`;
}
