/** `efl bench [options]`: this package on the machine of a user, beside what is installed there. */
import { version } from '../..';
import { faulty, runProgram } from '../command/program';
import type { Listed } from '../contenders';
import { instructionSets } from '../host/instruction-sets';
import { withProgress } from '../host/progress';
import { describeMachine } from '../measure/machine';
import { objectionToBuild } from '../package-build';
import { Runner } from '../process/runner';
import { nameOf } from '../workload/workload';
import { chooseContenders } from './contenders';
import { compare, type Outcome, type Player } from './contest';
import { parseOptions, type Options } from './options';
import { pace as usualPace, quickPace, type Pace } from './pace';
import { machineText, shapeResult, shapeText, type Result, type ShapeResult } from './result';

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const objection = objectionToBuild(true);
  if (objection !== undefined) throw new Error(objection);
  const result = await measure(options);
  if (options.json) console.log(JSON.stringify(result, null, 2));
  const failed = result.shapes.flatMap(({ failures }) => failures);
  return failed.some(({ id }) => id.startsWith('ours-')) ? faulty : 0;
}

/** Prints each shape as soon as it is measured, unless all is to be JSON. */
async function measure({ quick, shapes, seconds, json }: Options): Promise<Result> {
  const print = (text: string): void => {
    if (!json) console.log(text);
  };
  const usual = quick ? quickPace : usualPace;
  const pace = { ...usual, seconds: seconds ?? usual.seconds, shapes: shapes ?? usual.shapes };
  const { present, reasons: notCompared } = chooseContenders();
  const frame = {
    package: `equalized-focal-loss ${version}`,
    // The first is the best, and the only one that is measured.
    machine: describeMachine(instructionSets().slice(0, 1)),
  };
  print(machineText(frame));
  console.error(`This takes about ${pace.seconds} s.`);
  const results: ShapeResult[] = [];
  for await (const outcome of outcomes(present, pace)) {
    results.push(shapeResult(outcome, present[0]!));
    print(`\n${shapeText(results.at(-1)!)}`);
  }
  print(footnotes(notCompared));
  return { ...frame, shapes: results, notCompared };
}

/** Of one shape after the other; the contenders stay in their processes meanwhile. */
async function* outcomes(contenders: readonly Listed[], pace: Pace): AsyncGenerator<Outcome> {
  const players = contenders.map((one): Player => ({ contender: one, runner: new Runner(one) }));
  try {
    for (const [i, workload] of pace.shapes.entries()) {
      // Counted from the start of this process. What one shape leaves of its share goes to the next.
      const until = (1000 * pace.seconds * (i + 1)) / pace.shapes.length;
      yield await withProgress(nameOf(workload), (show) =>
        compare(workload, players, { pace, until }, show),
      );
    }
  } finally {
    await Promise.all(players.map(({ runner }) => runner.end()));
  }
}

function footnotes(notCompared: readonly string[]): string {
  return [
    '',
    'x ours: time over that of this package with all threads, within a round; range: its quartiles.',
    'Fewer rows: more would take too long. Worst error: off from float64, relative to the value.',
    ...notCompared.map((reason) => `Not compared: ${reason}.`),
  ].join('\n');
}

runProgram('efl bench', main);
