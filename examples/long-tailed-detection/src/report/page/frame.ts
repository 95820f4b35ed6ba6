/** The frame of the report: one page that needs nothing from outside. */
import { escapeHtml, type Section } from '../html.ts';
import { STYLE } from './style.ts';

export interface Page {
  title: string;
  /** Above the table of contents. */
  head: string;
  sections: readonly Section[];
  foot: string;
}

export function page({ title, head, sections, foot }: Page): string {
  const links = sections.map(
    (section) => `<li><a href="#${section.id}">${escapeHtml(section.title)}</a></li>`,
  );
  const body = sections.map(
    ({ id, title: heading, markup }) =>
      `<section id="${id}" aria-labelledby="${id}-heading">` +
      `<h2 id="${id}-heading">${escapeHtml(heading)}</h2>\n${markup}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
${head}
</header>
<nav aria-label="Contents"><ol>${links.join('')}</ol></nav>
<main>
${body.join('\n')}
</main>
<footer>
${foot}
</footer>
</body>
</html>
`;
}
