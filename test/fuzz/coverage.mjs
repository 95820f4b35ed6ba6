// What of the sources an input runs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A `require` that compiles TypeScript, and counts what runs of the files below `folder`. */
export function instrument(folder) {
  const require = createRequire(import.meta.url);
  const ts = require('typescript');
  const { createInstrumenter } = require('istanbul-lib-instrument');
  const instrumenter = createInstrumenter({ coverageVariable: '__fuzz__', compact: false });
  const compilerOptions = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    esModuleInterop: true,
  };
  const measured = path.resolve(folder) + path.sep;
  require.extensions['.ts'] = (module, file) => {
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
    const counts = file.startsWith(measured);
    module._compile(counts ? instrumenter.instrumentSync(outputText, file) : outputText, file);
  };
  return require;
}

/** The counters of everything measured, and what an input has made of them. */
export class Coverage {
  #seen = new Set();
  #counters;

  constructor() {
    this.#counters = Object.values(globalThis.__fuzz__ ?? {}).flatMap(({ s, f, b }) => [
      ...[s, f].flatMap((table) => Object.keys(table).map((key) => ({ table, key }))),
      ...Object.values(b).flatMap((table) => Object.keys(table).map((key) => ({ table, key }))),
    ]);
    if (this.#counters.length === 0) throw new Error('nothing is measured');
  }

  /** Each counter with the order of magnitude of its count, and all of them to 0. */
  take() {
    const features = [];
    this.#counters.forEach(({ table, key }, i) => {
      if (table[key] > 0) features.push(i * 8 + Math.min(7, Math.floor(Math.log2(table[key]))));
      table[key] = 0;
    });
    return features;
  }

  isNew(features) {
    const before = this.#seen.size;
    for (const feature of features) this.#seen.add(feature);
    return this.#seen.size > before;
  }

  get size() {
    return this.#seen.size;
  }
}
