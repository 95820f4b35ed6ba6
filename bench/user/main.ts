/** `efl bench [options]`: this package on the machine of a user, beside what is installed there. */
import { version } from '../..';
import { faulty, runProgram } from '../command/program';
import { instructionSets } from '../host/instruction-sets';
import { withProgress } from '../host/progress';
import { describeMachine } from '../measure/machine';
import { objectionToBuild } from '../package-build';
import { Runner } from '../process/runner';
import { nameOf } from '../workload/workload';
import { chooseContenders } from './contenders';
import { compare, type Player } from './contest';
import { parseOptions, type Options } from './options';
import { pace as usualPace, quickPace } from './pace';
import { machineText, shapeResult, shapeText, type Result } from './result';

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const objection = objectionToBuild(true);
  if (objection !== undefined) throw new Error(objection);
  const { shapes, ...frame } = await measure(options);
  const result: Result = { ...frame, shapes };
  if (options.json) console.log(JSON.stringify(result, null, 2));
  const isFaulty = shapes.some(({ failures }) => failures.some(({ id }) => id.startsWith('ours-')));
  return isFaulty ? faulty : 0;
}

/** Prints each shape as soon as it is measured, unless all is to be JSON. */
async function measure({ quick, shapes, seconds, json }: Options): Promise<Result> {
  const print = (text: string): void => {
    if (!json) console.log(text);
  };
  const given = quick ? quickPace : usualPace;
  const pace = { ...given, seconds: seconds ?? given.seconds };
  const { present, reasons: notCompared } = chooseContenders();
  const [best] = instructionSets();
  const frame = {
    package: `equalized-focal-loss ${version}`,
    machine: describeMachine(best === undefined ? [] : [best]),
  };
  print(machineText(frame));
  console.error(`This takes about ${pace.seconds} s.`);
  const players = present.map((contender): Player => ({
    contender,
    runner: new Runner(contender),
  }));
  const results: Result['shapes'][number][] = [];
  const chosen = shapes ?? pace.shapes;
  try {
    for (const [i, workload] of chosen.entries()) {
      // Counted from the start of this process. What one shape leaves of its share goes to the next.
      const until = (1000 * pace.seconds * (i + 1)) / chosen.length;
      const outcome = await withProgress(nameOf(workload), (show) =>
        compare(workload, players, { pace, until }, show),
      );
      results.push(shapeResult(outcome, present[0]!));
      print(`\n${shapeText(results.at(-1)!)}`);
    }
  } finally {
    await Promise.all(players.map(({ runner }) => runner.end()));
  }
  print(footnotes(notCompared));
  return { ...frame, shapes: results, notCompared };
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
