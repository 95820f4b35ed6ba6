import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss } from '../../../lib';
import { expectSuccess, root, runNode } from '../../process/child';

test('the example trains on wasm, prints what became of g and saves it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl-tfjs-example-'));
  const script = path.join(root, 'scripts', 'run-example.mjs');
  const ended = await runNode([script, 'tfjs-training', '--epochs', '30', '--out', folder]);
  expectSuccess(ended);
  const losses = [...ended.stdout.matchAll(/loss ([\d.]+) -> ([\d.]+)/g)];
  expect(losses).toHaveLength(2);
  for (const [, first, last] of losses) expect(Number(last)).toBeLessThan(Number(first));
  expect(ended.stdout).toMatch(/epoch 30: g_rare 0\.\d+, gamma_rare [3-6]\.\d+, g_common/);
  expect(ended.stdout).toMatch(/rare.*common.*frequent/);
  expect(ended.stderr).toBe('');

  const criterion = new EqualizedFocalLoss({ numClasses: 9, scaleFactor: 4 });
  criterion.loadState(path.join(folder, 'equalized-focal-loss.safetensors'));
  expect(criterion.statistics.steps).toBe(990);
  rmSync(folder, { recursive: true });
}, 60_000);
