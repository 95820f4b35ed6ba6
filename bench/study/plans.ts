/** What is studied: how the time of a logit, and memory, change with one thing at a time. */
import { instructionSets } from '../host/instruction-sets';
import type { ShowProgress } from '../host/progress';
import { allThreads, threadCounts } from '../host/threads';
import type { Pace } from '../process/runner';
import type { Series, Study } from '../report/report';
import { copy, ours, way, type Curve } from './curves';
import { memoryAt } from './memory';
import type { Shape } from './problems';
import { timesAt, type Place } from './times';

/** A study without its results. */
export interface Plan extends Omit<Study, 'series'> {
  readonly measure: (pace: Pace, show: ShowProgress) => Promise<Series[]>;
}

/** How large a study is; a quick one shows that everything works, and little else. */
export interface Size {
  /** Of a problem; in a full study 64 MB of them, beyond the caches. */
  readonly logits: number;
  readonly quick: boolean;
}

export function plans(size: Size): Plan[] {
  return [
    rowsPlan(80, size.quick ? 4 : 6),
    rowsPlan(8, size.quick ? 4 : 7), // ten million fit into memory with 8 classes, a million with 80
    classesPlan(size),
    threadsPlan(size),
    positivesPlan(size),
    gammaPlan(size),
    memoryPlan(size),
  ];
}

const y = 'nanoseconds a logit';
const linear = { logarithmicX: false, logarithmicY: false };
const logarithmic = { logarithmicX: true, logarithmicY: true };

function shapeOf({ logits }: Size, classes: number): Shape {
  return { rows: Math.max(1, Math.round(logits / classes)), classes };
}

/** Two in each decade. */
function halfDecades(first: number, last: number): number[] {
  return Array.from({ length: 2 * (last - first) + 1 }, (_, i) =>
    Math.round(10 ** (first + i / 2)),
  );
}

/** The package beside copies, with every number of threads that the benchmark compares. */
function besideCopies(places: readonly Place[]): Plan['measure'] {
  const curves = [...threadCounts.map((threads) => ours(threads)), ...threadCounts.flatMap(copy)];
  return (pace, show) => timesAt(places, curves, pace, show);
}

function rowsPlan(classes: number, lastPower: number): Plan {
  const counts = halfDecades(2, lastPower);
  return {
    id: `rows-${classes}`,
    title: `Time against rows, ${classes} classes`,
    ...{ x: 'rows', y, ...logarithmic },
    measure: besideCopies(counts.map((rows) => ({ x: rows, shape: { rows, classes } }))),
  };
}

/** Around the width of a register, which has 16 logits at most, each single number counts. */
const classCounts = [
  ...[1, 2, 4, 8, 15, 16, 17, 32, 80, 250, 1000, 1203, 4000, 10_000, 30_000, 100_000],
];

function classesPlan(size: Size): Plan {
  const counts = size.quick ? [1, 16, 80, 1203, 10_000] : classCounts;
  return {
    id: 'classes',
    title: `Time against classes, ${size.logits.toLocaleString('en-US')} logits`,
    ...{ x: 'classes', y, ...logarithmic },
    measure: besideCopies(counts.map((count) => ({ x: count, shape: shapeOf(size, count) }))),
  };
}

/** One after the other at first, then as far apart as the machine is large. */
const someThreads = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

function threadsPlan(size: Size): Plan {
  const counts = [...someThreads.filter((count) => count < allThreads), allThreads];
  return {
    id: 'threads',
    title: 'Time against threads, 1,203 classes',
    ...{ x: 'threads', y, logarithmicX: false, logarithmicY: true },
    measure: async (pace, show) => {
      const measured: Series[] = [];
      // A process has one number of threads, so others run for each of them.
      for (const x of counts) {
        const places = [{ x, shape: shapeOf(size, 1203) }];
        measured.push(...(await timesAt(places, curvesWith(x), pace, show)));
      }
      const names = [...new Set(measured.map(({ name }) => name))];
      return names.map((name) => ({
        name,
        points: measured.filter((series) => series.name === name).flatMap(({ points }) => points),
      }));
    },
  };
}

/** Every instruction set, and a copy; the portable kernel is too far from them for one picture. */
function curvesWith(threads: number): Curve[] {
  const sets = instructionSets().filter((name) => name !== 'scalar');
  return [
    ...sets.map((name) => ({ ...ours(threads, name), name: `this package, ${name}` })),
    ...copy(threads).map((curve) => ({ ...curve, name: 'copy of the logits' })),
  ];
}

function positivesPlan(size: Size): Plan {
  const percents = size.quick ? [0, 10, 100] : [0, 1, 2, 5, 10, 20, 35, 50, 75, 100];
  return {
    id: 'positives',
    title: 'Time against the share of rows that have a class, 1 thread',
    ...{ x: 'rows with a class, %', y, ...linear },
    measure: async (pace, show) => {
      const measured: Series[] = [];
      for (const classes of [8, 80, 1203]) {
        const shape = shapeOf(size, classes);
        const places = percents.map((x) => ({ x, shape: { ...shape, positives: x / 100 } }));
        const [series] = await timesAt(places, [ours(1)], pace, show);
        measured.push({ ...series!, name: `${classes.toLocaleString('en-US')} classes` });
      }
      return measured;
    },
  };
}

/** Focal Loss has one gamma for all classes. EFL, with one for each, is a level line beside it. */
function gammaPlan(size: Size): Plan {
  const shape = shapeOf(size, 1203);
  const values = size.quick ? [1, 2, 10] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return {
    id: 'gamma',
    title: 'Time against gamma, 1,203 classes, 1 thread',
    ...{ x: 'gamma', y, ...linear },
    measure: async (pace, show) => {
      const one = values.map((gamma) => ({ x: gamma, shape: { ...shape, gamma } }));
      const own = values.map((gamma) => ({ x: gamma, shape }));
      const [focal] = await timesAt(one, [way('focal-loss')], pace, show);
      const [equalized] = await timesAt(own, [ours(1)], pace, show);
      return [
        { ...focal!, name: 'Focal Loss, this gamma for all classes' },
        { ...equalized!, name: 'EFL, each class its own gamma' },
      ];
    },
  };
}

const waysByMemory = [
  'awaited',
  'new-gradient',
  'kept-gradient',
  'over-logits',
  'without-gradient',
];

/** Below 10^5 logits the runtime's own comings and goings are all that is seen. */
function memoryPlan({ quick }: Size): Plan {
  const classes = 80;
  const places = halfDecades(5, quick ? 6 : 8).map((logits) => {
    const rows = Math.round(logits / classes);
    return { x: rows * classes, shape: { rows, classes } };
  });
  return {
    id: 'memory',
    title: 'Memory beyond logits and labels, 80 classes, 1 thread',
    ...{ x: 'logits', y: 'bytes', ...logarithmic },
    measure: (_, show) => memoryAt(places, waysByMemory.map(way), show),
  };
}
