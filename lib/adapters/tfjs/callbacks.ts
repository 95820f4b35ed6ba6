/** Callbacks for `fit()`: plain objects, as TensorFlow.js takes them beside its own class. */
import { EqualizedCriterion } from '../../criteria/equalized-criterion';
import { FocusingCriterion } from '../../criteria/focusing-criterion';
import type { Finding } from '../../state/diagnosis';
import { knownOptions, reject } from '../../validation';

type Logs = Record<string, unknown>;

/** Columns of each group, by its name: `{ rare: [4, 7], common: [1, 2], frequent: [0, 3, 5, 6] }`. */
export type ClassGroups = Readonly<Record<string, readonly number[]>>;

/** Options of {@link StatisticsCallback}. */
export interface StatisticsCallbackOptions {
  /** Default: one group, `all`, of all classes. */
  readonly groups?: ClassGroups | undefined;
  /** Takes a line for each epoch, `console.log` for example. Default: nobody. */
  readonly print?: ((line: string) => void) | undefined;
}

/**
 * Follows the state of an equalized criterion: after each epoch the means of g and, where the loss has
 * one, gamma over each group of classes join the epoch's logs as `g_rare` and `gamma_rare`, and so the
 * history that `fit()` returns. Where no gradient has been counted, or the loss is the one without
 * equalization since every class is balanced (see `criterion.diagnose`), a process warning says so
 * once, `EFL_ASLEEP`.
 *
 *     const groups = { rare: [4, 7], frequent: [0, 1, 2, 3, 5, 6] };
 *     const callbacks = [new StatisticsCallback(criterion, { groups })];
 *     const { history } = await model.fit(x, y, { callbacks });
 */
export class StatisticsCallback {
  // Properties, not methods: TensorFlow.js takes the functions and calls them without their object.
  readonly onEpochEnd: (epoch: number, logs?: Logs) => Promise<void>;

  /** @throws {@link EflArgumentError} for a group that is empty or has a column there is not. */
  constructor(criterion: EqualizedCriterion, options?: StatisticsCallbackOptions) {
    checkEqualized(criterion);
    const { groups, print } = knownOptions('options', options, ['groups', 'print']);
    const checked = checkGroups(groups, criterion.options.numClasses);
    let warned = false;
    this.onEpochEnd = async (epoch, logs = {}) => {
      await criterion.synchronize();
      const means = groupMeans(criterion, checked);
      Object.assign(logs, means);
      const figures = Object.entries(means).map(([name, mean]) => `${name} ${mean.toFixed(3)}`);
      print?.(`epoch ${epoch + 1}: ${figures.join(', ')}`);
      warned ||= warnIfAsleep(criterion, epoch);
    };
  }
}

/** Whether there was something to warn of. */
function warnIfAsleep(criterion: EqualizedCriterion, epoch: number): boolean {
  const isAsleep = ({ kind }: Finding): boolean =>
    kind === 'nothing-collected' || kind === 'asleep';
  const finding = criterion.diagnose().find(isAsleep);
  if (!finding) return false;
  const { message, advice } = finding;
  process.emitWarning(`${criterion.constructor.name}, epoch ${epoch + 1}: ${message} ${advice}`, {
    code: 'EFL_ASLEEP',
  });
  return true;
}

/**
 * Writes the state of an equalized criterion after each epoch, as `criterion.saveState` does, beside a
 * model's checkpoint: without it, training that goes on starts with every class balanced. `path` may
 * be a function of the epoch, counted from 0.
 */
export function saveStateCallback(
  criterion: EqualizedCriterion,
  path: string | ((epoch: number) => string),
): { readonly onEpochEnd: (epoch: number) => Promise<void> } {
  checkEqualized(criterion);
  if (typeof path !== 'string' && typeof path !== 'function') {
    reject('path', 'a path, or a function of the epoch', path);
  }
  return {
    onEpochEnd: async (epoch) => {
      await criterion.synchronize();
      criterion.saveState(typeof path === 'string' ? path : path(epoch));
    },
  };
}

function checkEqualized(criterion: unknown): void {
  if (criterion instanceof EqualizedCriterion) return;
  reject('criterion', 'an equalized criterion: others have no state', criterion);
}

function checkGroups(groups: ClassGroups | undefined, numClasses: number): ClassGroups {
  if (groups === undefined) return { all: Array.from({ length: numClasses }, (_, j) => j) };
  const copies = Object.entries(groups).map(([name, columns]) => {
    const list: unknown = columns;
    if (!Array.isArray(list) || list.length === 0) {
      reject(`groups.${name}`, 'a list of one or more columns', list);
    }
    list.forEach((column: unknown, i) => {
      const isColumn = Number.isInteger(column) && (column as number) >= 0;
      if (isColumn && (column as number) < numClasses) return;
      reject(`groups.${name}[${i}]`, `a column from 0 to ${numClasses - 1}`, column);
    });
    return [name, [...columns]] as const;
  });
  return Object.fromEntries(copies);
}

function groupMeans(criterion: EqualizedCriterion, groups: ClassGroups): Record<string, number> {
  const ratio = criterion.gradientRatio;
  const gamma = criterion instanceof FocusingCriterion ? criterion.focusingFactor : undefined;
  const means: Record<string, number> = {};
  for (const [name, columns] of Object.entries(groups)) {
    means[`g_${name}`] = meanOf(ratio, columns);
    if (gamma) means[`gamma_${name}`] = meanOf(gamma, columns);
  }
  return means;
}

function meanOf(values: Float64Array, columns: readonly number[]): number {
  return columns.reduce((sum, column) => sum + values[column]!, 0) / columns.length;
}
