/** What comes first: the finding, the gain under each cap side by side, and its training length. */
import type { RunDirectory } from '../../experiment/run-directory.ts';
import { describeFinding, gainsByCap, mainDifference } from '../finding.ts';
import { capTitle, differenceTitle, enumerate, formatSigned, plural } from '../format.ts';
import { escapeHtml, paragraph } from '../html.ts';
import type { Summary } from '../summary.ts';

export function pageHead({ created }: RunDirectory, summary: Summary): string {
  const { config } = summary;
  const { classes, seeds, balanced } = config;
  const shape = balanced ? 'balanced' : 'long-tailed';
  return [
    '<h1>Long-tailed detection</h1>',
    paragraph(describeFinding(summary), 'finding'),
    tiles(summary),
    paragraph(
      `A small detector trained with each loss on ${classes} classes (${shape} data), ` +
        `${plural(config.epochs, 'epoch')}, ${seeds.length > 1 ? 'seeds' : 'seed'} ` +
        `${enumerate(seeds)}; run of ${created.slice(0, 10)}.`,
      'lead',
    ),
  ].join('\n');
}

function tiles(summary: Summary): string {
  const difference = mainDifference(summary);
  if (!difference) return '';
  const { classes, epochs, seeds } = summary.config;
  const note =
    `${differenceTitle(difference)}, rare classes, ${plural(epochs, 'epoch')}, ` +
    plural(seeds.length, 'seed');
  const items = gainsByCap(difference).map(({ name, figures }) => {
    const { mean, deviation } = figures.rare;
    const spread = deviation === undefined ? '' : ` <small>± ${deviation.toFixed(1)}</small>`;
    return (
      `<div><dt>${escapeHtml(capTitle(name, classes))}</dt>` +
      `<dd class="value">${formatSigned(mean)}${spread}</dd>` +
      `<dd class="note">${escapeHtml(note)}</dd></div>`
    );
  });
  return `<dl class="tiles">${items.join('')}</dl>`;
}
