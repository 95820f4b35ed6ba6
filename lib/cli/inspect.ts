import { inspectCheckpoint, type InspectedState } from '../state/checkpoint';
import { equalizationOf, findingsOf, type Finding } from '../state/diagnosis';
import { printable } from '../state/printable';

/** More than any criterion has: a file that says so is damaged, and is not read any further. */
const mostClasses = 2 ** 24;

interface Summary {
  readonly classes: number;
  readonly steps: string;
  readonly gradientRatio: { least: number; median: number; mean: number; most: number };
  readonly classesWithoutPositives: number;
  readonly balancedClasses: number;
  readonly findings: readonly Finding[];
}

/** Prints a summary of a state that a criterion could load. Returns the exit code. */
export function inspect(file: string, options: { json?: boolean; prefix?: string }): number {
  let summary: Summary;
  try {
    summary = summarize(file, options.prefix ?? '');
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    console.error(printable(`efl inspect: ${file}: ${problem}`, Infinity));
    return 1;
  }
  console.log(options.json ? JSON.stringify(summary, null, 2) : format(summary));
  return 0;
}

function summarize(file: string, prefix: string): Summary {
  const state = inspectCheckpoint(file, prefix, mostClasses);
  const { pos_grad: positive, pos_neg: ratio, steps, knowsSteps } = state;
  const sorted = ratio.slice().sort();
  return {
    classes: ratio.length,
    steps: knowsSteps ? String(steps) : 'unknown',
    gradientRatio: {
      least: sorted[0]!,
      median: sorted[sorted.length >> 1]!,
      // Divided first: the sum of ratios of EqualizationLossV2 can leave the range.
      mean: ratio.reduce((sum, value) => sum + value / ratio.length, 0),
      most: sorted.at(-1)!,
    },
    classesWithoutPositives: positive.filter((value) => value === 0).length,
    balancedClasses: ratio.filter((value) => value >= 1).length,
    findings: findingsOf(state, equalizationOf(lossOf(state))),
  };
}

/** A file from elsewhere does not say which; only the ratios of Equalization Loss v2 pass 1. */
function lossOf({ loss, pos_neg: ratio }: InspectedState): string {
  const isV2 = ratio.some((value) => value > 1);
  return loss ?? (isV2 ? 'crossEntropy, equalizationV2' : 'focal, equalizedFocal');
}

function format(summary: Summary): string {
  const { least, median, mean, most } = summary.gradientRatio;
  const digits = (value: number): string => value.toFixed(4);
  return [
    `classes                    ${summary.classes}`,
    `steps                      ${summary.steps}`,
    `gradient ratio             least ${digits(least)}, median ${digits(median)}, mean ${digits(mean)}, most ${digits(most)}`,
    `balanced (ratio >= 1)      ${summary.balancedClasses}`,
    `without any positive yet   ${summary.classesWithoutPositives}`,
    ...summary.findings.map(formatFinding),
  ].join('\n');
}

/** More classes than this are not listed. */
const mostListed = 20;

function formatFinding({ kind, message, advice, classes = [] }: Finding): string {
  const more = classes.length > mostListed ? ', ..' : '';
  const columns = `  Columns: ${classes.slice(0, mostListed).join(', ')}${more}`;
  const lines = [
    '',
    `${kind}: ${message}`,
    ...(classes.length > 0 ? [columns] : []),
    `  ${advice}`,
  ];
  return lines.join('\n');
}
