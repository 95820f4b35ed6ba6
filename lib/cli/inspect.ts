import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '../state/safetensors';
import { stateNames } from '../state/statistics';

interface Summary {
  readonly classes: number;
  readonly steps: string;
  readonly gradientRatio: { least: number; median: number; mean: number; most: number };
  readonly classesWithoutPositives: number;
  readonly balancedClasses: number;
}

/** Prints a summary of a saved state. Returns the exit code. */
export function inspect(file: string, options: { json?: boolean }): number {
  let summary: Summary;
  try {
    summary = summarize(file);
  } catch (error) {
    console.error(
      `efl inspect: ${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 1;
  }
  console.log(options.json ? JSON.stringify(summary, null, 2) : format(summary));
  return 0;
}

function summarize(file: string): Summary {
  const { tensors, metadata } = decodeSafetensors(readFileSync(file));
  const [positive, , ratio] = stateNames.map((name) => {
    const values = tensors.get(name);
    if (!values || values.length === 0) throw new Error(`no vector ${name}: not a saved state`);
    return values;
  }) as [Float64Array, Float64Array, Float64Array];
  const sorted = ratio.slice().sort();
  return {
    classes: ratio.length,
    steps: metadata['steps'] ?? 'unknown',
    gradientRatio: {
      least: sorted[0]!,
      median: sorted[sorted.length >> 1]!,
      mean: ratio.reduce((sum, value) => sum + value, 0) / ratio.length,
      most: sorted.at(-1)!,
    },
    classesWithoutPositives: positive.filter((value) => value === 0).length,
    balancedClasses: ratio.filter((value) => value >= 1).length,
  };
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
  ].join('\n');
}
