import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './child';

export interface CodeBlock {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** Every document a user reads. */
export function documents(): string[] {
  const docs = readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((file) => path.join('docs', file))];
}

/** The fenced blocks of a document. */
export function codeBlocks(file: string): CodeBlock[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[1]!,
    code: match[2]!,
  }));
}

export function allBlocks(language: string): CodeBlock[] {
  return documents()
    .flatMap(codeBlocks)
    .filter((block) => block.language === language);
}
