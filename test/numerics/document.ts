/** docs/numerics.md: what stands between the markers of a table. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const DOCUMENT = path.resolve(__dirname, '..', '..', 'docs', 'numerics.md');

const MARKED = /(<!-- numerics:([\w-]+):begin -->)([^]*?)(<!-- numerics:\2:end -->)/g;

export function readDocument(): string {
  return readFileSync(DOCUMENT, 'utf8');
}

export function blocksOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(MARKED)].map((match) => [match[2]!, match[3]!]));
}

/** The document with every block anew. */
export function fillBlocks(text: string, contentOf: (name: string) => string): string {
  return text.replace(
    MARKED,
    (_, begin: string, name: string, __: string, end: string) =>
      `${begin}\n\n${contentOf(name)}\n\n${end}`,
  );
}
