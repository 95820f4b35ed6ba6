// How generated tables get into a README, and how differences are written in them.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { root } from './platform.mjs';

/** Puts `content` in the place that comments of this name mark, and lays the file out as all others. */
export async function replaceInFile(file, name, content) {
  const text = replaceBetween(readFileSync(file, 'utf8'), name, content);
  const style = await resolveConfig(`${root}/README.md`);
  writeFileSync(file, await format(text, { ...style, parser: 'markdown' }));
}

function replaceBetween(text, name, content) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`README.md has no ${begin} ... ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** A figure with its spread, where there is one. */
export function plain({ mean, deviation }) {
  return deviation === undefined ? mean.toFixed(1) : `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;
}

export function signed({ mean, deviation }) {
  const text = mean.toFixed(1);
  const sign = Number(text) > 0 ? '+' : '';
  const figure = Number(text) === 0 ? text.replace('-', '') : `${sign}${text}`;
  return deviation === undefined ? figure : `${figure} ± ${deviation.toFixed(1)}`;
}
