/** Pieces of HTML. What is called `markup` is trusted; all else is text. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}

export interface Section {
  id: string;
  title: string;
  markup: string;
}

export const section = (id: string, title: string, ...markup: readonly string[]): Section => ({
  id,
  title,
  markup: markup.join('\n'),
});

export const paragraph = (text: string, className?: string): string =>
  `<p${className ? ` class="${className}"` : ''}>${escapeHtml(text)}</p>`;

export const heading = (text: string): string => `<h3>${escapeHtml(text)}</h3>`;

export const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;

export const figure = (markup: string, caption: string): string =>
  `<figure>${markup}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;

export interface TableRow {
  /** The first one names the row. */
  cells: readonly string[];
  className?: string;
}

export interface Table {
  caption: string;
  /** A short name, with what it stands for where that is not plain. */
  header: readonly (string | { short: string; long: string })[];
  /** Rows under a heading of their own, or all under none. */
  bodies: readonly { title?: string; rows: readonly TableRow[] }[];
  className?: string;
}

export function table({ caption, header, bodies, className }: Table): string {
  const columns = header.map((cell) =>
    typeof cell === 'string'
      ? `<th scope="col">${escapeHtml(cell)}</th>`
      : `<th scope="col"><abbr title="${escapeHtml(cell.long)}">${escapeHtml(cell.short)}</abbr></th>`,
  );
  const groups = bodies.map(({ title, rows }) => {
    const own = `<tr class="group"><th scope="rowgroup" colspan="${header.length}">`;
    const head = title === undefined ? '' : `${own}${escapeHtml(title)}</th></tr>`;
    return `<tbody>${head}${rows.map(tableRow).join('')}</tbody>`;
  });
  return (
    `<table${className ? ` class="${className}"` : ''}><caption>${escapeHtml(caption)}</caption>` +
    `<thead><tr>${columns.join('')}</tr></thead>${groups.join('')}</table>`
  );
}

function tableRow({ cells, className }: TableRow): string {
  const [name, ...figures] = cells.map(escapeHtml);
  const data = figures.map((cell) => `<td>${cell}</td>`).join('');
  return `<tr${className ? ` class="${className}"` : ''}><th scope="row">${name}</th>${data}</tr>`;
}

export function definitions(entries: readonly (readonly [string, string])[]): string {
  const items = entries.map(
    ([term, text]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<dl>${items.join('')}</dl>`;
}
