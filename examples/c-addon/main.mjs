// Trains the same classifier three times, by the C program, by the addon in C and in JavaScript, and
// says whether all losses and statistics are the same to the last bit.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EqualizedFocalLoss } from 'equalized-focal-loss';
import { makeTask } from './task.mjs';
import { train } from './train.mjs';

const require = createRequire(import.meta.url);
const folder = path.dirname(fileURLToPath(import.meta.url));

function build() {
  const args = [require.resolve('node-gyp/bin/node-gyp.js'), 'rebuild', '--loglevel=error'];
  // Node's own headers where they are installed beside it: node-gyp need not fetch them then.
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  if (existsSync(path.join(prefix, 'include', 'node', 'node_api.h')))
    args.push(`--nodedir=${prefix}`);
  execFileSync(process.execPath, args, { cwd: folder, stdio: ['ignore', 2, 2] });
}

function trainInJavaScript(task) {
  const criterion = new EqualizedFocalLoss({ numClasses: task.classes });
  return { losses: train(criterion, task), statistics: criterion.statistics };
}

function trainWithAddon({ features, labels, weights, rate, steps, classes }) {
  const addon = require('./build/Release/training.node');
  const losses = new Float64Array(steps);
  const sums = new Float64Array(2 * classes);
  const equalizedFocalLoss = 1;
  addon.train(
    equalizedFocalLoss,
    ...[features, labels, undefined, undefined, weights, rate, losses, sums],
  );
  return {
    losses,
    statistics: { positive: sums.slice(0, classes), negative: sums.slice(classes) },
  };
}

function trainWithProgram({ steps, classes }) {
  const program = path.join(folder, 'build', 'Release', 'program');
  const numbers = execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(Number);
  const sums = numbers.slice(steps, steps + 2 * classes);
  return {
    losses: Float64Array.from(numbers.slice(0, steps)),
    statistics: {
      positive: Float64Array.from(sums.filter((_, i) => i % 2 === 0)),
      negative: Float64Array.from(sums.filter((_, i) => i % 2 === 1)),
    },
  };
}

function same(a, b) {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

function report(name, result, expected) {
  const equal =
    same(result.losses, expected.losses) &&
    same(result.statistics.positive, expected.statistics.positive) &&
    same(result.statistics.negative, expected.statistics.negative);
  console.log(`${name}: loss ${result.losses[0]} -> ${result.losses.at(-1)}`);
  if (!equal) throw new Error(`${name} differs from JavaScript`);
}

build();
const expected = trainInJavaScript(makeTask());
report('in JavaScript', expected, expected);
report('addon in C', trainWithAddon(makeTask()), expected);
report('program in C', trainWithProgram(makeTask()), expected);
console.log('equal to the last bit');
