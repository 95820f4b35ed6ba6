// A fuzzer of TypeScript, guided by coverage as libFuzzer is: inputs that run a statement, a branch or
// a function that none before has run, or run it an order of magnitude more often, are kept and
// changed further. Those there are for Node.js take a newer C library than that of Debian 12 or are
// downloaded when they are installed.
//
//   node test/fuzz/guided.mjs TARGET --instrument FOLDER --corpus FOLDER --found FOLDER [--seconds N]
//       [--dictionary FILE] [--seed N] [--minimize] [INPUT ...]
//
// TARGET exports fuzz(input: Buffer), which throws where something is wrong; what is below FOLDER is
// measured. It begins with the inputs of both folders; new ones go to that of `found`. Inputs by name
// are run once, and nothing else is. --minimize leaves in the corpus those inputs of both that cover
// what all of them do. The target runs in a thread: this one sees to it that no
// input takes too long or too much memory, and writes down the one at fault.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { mostBytes, nameOf } from './inputs.mjs';

const mostSecondsPerInput = 20;
const mostMegabytes = 512;

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      instrument: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      corpus: { type: 'string' },
      found: { type: 'string' },
      dictionary: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      minimize: { type: 'boolean', default: false },
    },
  });
  const [target, ...inputs] = positionals;
  const shared = new SharedArrayBuffer(8 + mostBytes);
  const worker = new Worker(new URL('./guided-worker.mjs', import.meta.url), {
    workerData: { ...values, target: path.resolve(target), inputs, shared },
    resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
  });
  let [ended, lastTick] = [false, -1];
  const watch = setInterval(() => {
    const tick = Atomics.load(new Int32Array(shared, 0, 1), 0);
    if (tick !== 0 && tick === lastTick)
      fail(`an input takes more than ${mostSecondsPerInput} seconds`);
    lastTick = tick;
  }, 1000 * mostSecondsPerInput);
  const fail = (what) => {
    if (ended) return;
    ended = true;
    clearInterval(watch);
    const length = Atomics.load(new Int32Array(shared, 4, 1), 0);
    const input = Buffer.from(new Uint8Array(shared, 8, length));
    const file = `${values.found}-fault-${nameOf(input)}`;
    writeFileSync(file, input);
    console.error(`${what}\nThe input: ${file} (seed ${values.seed})`);
    process.exitCode = 1;
    void worker.terminate();
  };
  worker.on('message', (text) => console.log(text));
  worker.on('error', (error) => fail(error?.stack ?? String(error)));
  worker.on('exit', () => {
    ended = true;
    clearInterval(watch);
  });
}

main();
