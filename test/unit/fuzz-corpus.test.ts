import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fuzz } from '../fuzz/safetensors';

const corpus = path.join(__dirname, '..', 'fuzz', 'corpus', 'safetensors');

test('every stored input of the fuzzer is read as the reference reads it, or refused', () => {
  const names = readdirSync(corpus);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) fuzz(readFileSync(path.join(corpus, name)));
});
