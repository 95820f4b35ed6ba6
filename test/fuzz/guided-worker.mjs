// The thread of guided.mjs in which the target runs.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage, instrument } from './coverage.mjs';
import { mostBytes, nameOf, readInputs } from './inputs.mjs';
import { mutate, Random, wordsOf } from './mutate.mjs';
import { setCover } from './set-cover.mjs';

function main({ target, inputs, shared, instrument: folder, ...options }) {
  const require = instrument(folder);
  const { fuzz } = require(target);
  const coverage = new Coverage();
  const [head, body] = [new Int32Array(shared, 0, 2), Buffer.from(shared, 8)];
  Atomics.store(head, 0, 1); // the first input begins

  const run = (input) => {
    head[1] = input.copy(body);
    coverage.take();
    fuzz(input);
    Atomics.add(head, 0, 1);
    return coverage.take();
  };

  if (inputs.length > 0) {
    for (const file of inputs) run(readFileSync(file));
    parentPort.postMessage(`${inputs.length} inputs: nothing wrong`);
    return;
  }
  const stored = readInputs([options.corpus, options.found]);
  if (options.minimize) return minimize(options.corpus, stored, run);
  const corpus = [Buffer.alloc(0), ...stored];
  for (const input of corpus) coverage.isNew(run(input));
  parentPort.postMessage(
    `${stored.length} inputs, ${coverage.size} features, seed ${options.seed}`,
  );
  explore(corpus, coverage, run, options);
}

function explore(corpus, coverage, run, { seconds, seed, dictionary, found }) {
  const random = new Random(Number(seed));
  const material = { corpus, words: dictionary ? wordsOf(readFileSync(dictionary, 'utf8')) : [] };
  const end = Date.now() + 1000 * Number(seconds);
  const begun = corpus.length;
  let runs = 0;
  while (runs % 64 !== 0 || Date.now() < end) {
    // Half of the time one of the newest: what has just been found leads further.
    const recent = Math.max(0, corpus.length - 16);
    const at = random.below(2)
      ? random.below(corpus.length)
      : recent + random.below(corpus.length - recent);
    const input = mutate(random, corpus[at], material, mostBytes);
    if (coverage.isNew(run(input))) {
      corpus.push(input);
      writeFileSync(path.join(found, nameOf(input)), input);
    }
    runs += 1;
  }
  parentPort.postMessage(
    `${runs} runs, ${coverage.size} features, ${corpus.length - begun} new inputs: nothing wrong`,
  );
}

/** Of those that cover the same the smallest. */
function minimize(folder, inputs, run) {
  const sorted = [...inputs].sort((a, b) => a.length - b.length);
  const kept = setCover(sorted.map(run)).map((at) => sorted[at]);
  rmSync(folder, { recursive: true });
  mkdirSync(folder, { recursive: true });
  for (const input of kept) writeFileSync(path.join(folder, nameOf(input)), input);
  parentPort.postMessage(`${kept.length} of ${inputs.length} inputs cover what all of them do`);
}

main(workerData);
