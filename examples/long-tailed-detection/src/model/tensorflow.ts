/** TensorFlow.js on its WebAssembly backend. */
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

let ready: Promise<void> | undefined;

export function startTensorFlow(): Promise<void> {
  ready ??= start();
  return ready;
}

async function start(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(entry) + sep);
  if (!(await tf.setBackend('wasm'))) {
    throw new Error('the WebAssembly backend did not start');
  }
  await tf.ready();
}
