/** Average precision of each loss against the epochs it was trained for, with and without the cap. */
import { detectionCaps, DEFAULT_CONFIG, LOSS_NAMES, LOSS_TITLES } from '../../config.ts';
import type { TrainingLength } from '../../training-length.ts';
import { capTitle, enumerate, formatSpread } from '../format.ts';
import {
  lossColour,
  lossDash,
  lossShape,
  WIDTHS,
  type Chart,
  type Row,
  type Size,
  type Spec,
} from './draw.ts';

const CAPS = ['apBudget', 'apUncapped'] as const;
const CLASSES = ['rare', 'all'] as const;

export function trainingLengthChart({ losses, differences, seeds }: TrainingLength): Chart {
  const rows = losses.flatMap(({ loss, epochs, ap }) =>
    CAPS.flatMap((cap) =>
      CLASSES.map((classes): Row => {
        const { mean, deviation } = ap[cap][classes];
        const spread = { low: mean - deviation, high: mean + deviation };
        return { loss: LOSS_TITLES[loss], epochs, cap, classes, ap: mean, ...spread };
      }),
    ),
  );
  const gains = differences
    .filter(({ loss, baseline }) => loss === 'efl' && baseline === 'fl')
    .map(
      ({ epochs, ap }) =>
        `${epochs} epochs ${formatSpread(ap.apBudget.rare, true)}, without a cap ` +
        formatSpread(ap.apUncapped.rare, true),
    );
  const cap = detectionCaps(DEFAULT_CONFIG.classes).apBudget;
  const shown = LOSS_NAMES.filter((name) => losses.some(({ loss }) => loss === name));
  const epochs = [...new Set(losses.map((point) => point.epochs))].sort((a, b) => a - b);
  return {
    id: 'length',
    title: `Average precision against training length, ${seeds.length} seeds`,
    description:
      `Mean and standard deviation for rare and for all classes, at most ${cap} detections per image and ` +
      `without a cap. EFL minus FL on rare classes: ${enumerate(gains)}.`,
    rows,
    spec: (size) => grid(size, (width) => panels(shown, epochs, rows, width)),
  };
}

const GAP = 62;

function grid(size: Size, panelsOf: (width: number) => Spec[]): Spec {
  const columns = size === 'wide' ? 2 : 1;
  return {
    width: undefined,
    autosize: undefined,
    columns,
    concat: panelsOf(Math.floor(WIDTHS[size] / columns) - GAP),
  };
}

/** Of rare classes from 0 on. */
function range(rows: readonly Row[], classes: 'rare' | 'all'): [number, number] {
  const of = rows.filter((row) => row['classes'] === classes);
  const lowest = Math.min(...of.map(({ low }) => Number(low)));
  const highest = Math.max(...of.map(({ high }) => Number(high)));
  return [classes === 'rare' ? 0 : Math.floor(lowest), Math.ceil(highest)];
}

function panels(
  losses: Parameters<typeof lossColour>[0],
  epochs: readonly number[],
  rows: readonly Row[],
  width: number,
): Spec[] {
  return CAPS.flatMap((cap) =>
    CLASSES.map((classes) => {
      const x = {
        field: 'epochs',
        type: 'quantitative',
        title: 'epochs',
        scale: {
          type: 'log',
          base: 2,
          domain: [epochs[0] * 0.88, epochs.at(-1)! * 1.13],
          nice: false,
        },
        axis: { values: epochs, grid: false },
      };
      const y = {
        field: 'ap',
        type: 'quantitative',
        title: 'average precision, %',
        // The same with and without the cap, so that the two can be compared.
        scale: { domain: range(rows, classes) },
      };
      const color = { ...lossColour(losses), legend: { symbolStrokeWidth: 0 } };
      const mark = (type: Spec, extra: Spec): Spec => ({
        mark: type,
        encoding: { x, color, ...extra },
      });
      return {
        width,
        height: 200,
        title: {
          text: classes === 'rare' ? 'rare classes' : 'all classes',
          subtitle: capTitle(cap, DEFAULT_CONFIG.classes),
        },
        transform: [{ filter: `datum.cap === '${cap}' && datum.classes === '${classes}'` }],
        layer: [
          mark(
            { type: 'rule', strokeWidth: 1.5 },
            { y: { ...y, field: 'low' }, y2: { field: 'high' } },
          ),
          mark({ type: 'line', strokeWidth: 2 }, { y, strokeDash: lossDash(losses) }),
          mark(
            { type: 'point', filled: true, size: 60, opacity: 1 },
            { y, shape: lossShape(losses) },
          ),
        ],
      };
    }),
  );
}
