/** Arrays in raw files: little-endian, as every machine this package runs on has them. */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { files } from './protocol';
import type { Problem, Solution } from '../workload/workload';

type Values = Float32Array | Float64Array | Int32Array;

function read<T extends Values>(folder: string, name: string, values: T): T {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const file = openSync(path.join(folder, name), 'r');
  try {
    for (let done = 0; done < bytes.length;) {
      const count = readSync(file, bytes, done, bytes.length - done, done);
      if (count === 0) throw new Error(`${name} is too short`);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return values;
}

export function writeProblem(folder: string, { logits, labels, gamma }: Problem): void {
  writeFileSync(path.join(folder, files.logits), logits);
  writeFileSync(path.join(folder, files.labels), labels);
  writeFileSync(path.join(folder, files.gamma), gamma);
}

export function readProblem(folder: string, rows: number, classes: number): Problem {
  return {
    rows,
    classes,
    logits: read(folder, files.logits, new Float32Array(rows * classes)),
    labels: read(folder, files.labels, new Int32Array(rows)),
    gamma: read(folder, files.gamma, new Float64Array(classes)),
  };
}

export function writeSolution(folder: string, solution: Solution): void {
  writeFileSync(path.join(folder, files.loss), Float64Array.of(solution.loss));
  writeFileSync(path.join(folder, files.gradient), solution.gradient);
  writeFileSync(path.join(folder, files.positive), solution.positive);
  writeFileSync(path.join(folder, files.negative), solution.negative);
}

export function readSolution(folder: string, rows: number, classes: number): Solution {
  return {
    loss: read(folder, files.loss, new Float64Array(1))[0]!,
    gradient: read(folder, files.gradient, new Float32Array(rows * classes)),
    positive: read(folder, files.positive, new Float64Array(classes)),
    negative: read(folder, files.negative, new Float64Array(classes)),
  };
}
