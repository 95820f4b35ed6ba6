/** Average precision by group and loss: bars, with whiskers for the spread over seeds. */
import { detectionCaps, LOSS_TITLES } from '../../config.ts';
import { GROUPS_AND_ALL } from '../../evaluation/groups.ts';
import { enumerate, formatSpread, plural } from '../format.ts';
import type { LossSummary, Summary } from '../summary.ts';
import { paint } from '../theme.ts';
import { groupAxis, lossColour, type Chart, type Row, type Size, type Spec } from './draw.ts';

export function precisionChart({ config, losses }: Summary): Chart {
  const cap = detectionCaps(config.classes).apBudget;
  return {
    id: 'precision',
    title: `Average precision by frequency of the class, after ${plural(config.epochs, 'epoch')}`,
    description: `At most ${cap} detections per image. ${losses.map(describe).join(' ')}`,
    rows: losses.flatMap(rowsOf),
    spec: (size) => ({
      height: size === 'wide' ? 340 : 300,
      layer: layers(size, config.seeds.length > 1, lossColour(config.losses)),
    }),
  };
}

function describe({ loss, ap }: LossSummary): string {
  const figures = GROUPS_AND_ALL.map((group) => `${group} ${formatSpread(ap.apBudget[group])}`);
  return `${LOSS_TITLES[loss]}: ${enumerate(figures)} %.`;
}

function rowsOf({ loss, ap }: LossSummary): Row[] {
  return GROUPS_AND_ALL.map((group) => {
    const { mean, deviation = 0 } = ap.apBudget[group];
    return {
      loss: LOSS_TITLES[loss],
      short: loss.toUpperCase(),
      group,
      ap: mean,
      text: mean.toFixed(1),
      rounded: mean.toFixed(0),
      low: Math.max(0, mean - deviation),
      high: mean + deviation,
    };
  });
}

function layers(size: Size, hasSpread: boolean, color: Spec): Spec[] {
  const place = { x: groupAxis, xOffset: { field: 'loss', sort: null } };
  const y = { field: 'ap', type: 'quantitative', title: 'average precision, %' };
  const bars = { mark: 'bar', encoding: { ...place, y, color } };
  const whiskers = {
    mark: { type: 'rule', strokeWidth: 1.5, color: paint('ink') },
    encoding: { ...place, y: { ...y, field: 'low' }, y2: { field: 'high' } },
  };
  // Figures stand clear of the whiskers.
  const figures = {
    mark: { type: 'text', dy: -8, fontSize: 12 },
    encoding: {
      ...place,
      y: { ...y, field: 'high' },
      text: { field: size === 'wide' ? 'text' : 'rounded' },
    },
  };
  // A name at the foot of each bar, for those who cannot tell the colours apart.
  const names = {
    mark: { type: 'text', dy: -7, fontSize: size === 'wide' ? 11 : 9, color: paint('page') },
    transform: [{ filter: 'datum.ap > 4' }],
    encoding: { ...place, y: { datum: 0 }, text: { field: 'short' } },
  };
  return [bars, ...(hasSpread ? [whiskers] : []), figures, names];
}
