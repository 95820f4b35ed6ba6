/**
 * Which things may be targets, and which ones the backbone has seen. The lists are a committed file
 * rather than a rule, because a backbone that had met a target class in pretraining would make every
 * figure of this example meaningless.
 */
import { readFileSync } from 'node:fs';

import { CLASS_SPLIT_FILE } from '../paths.ts';
import { Random } from './random.ts';

export interface ClassSplit {
  /** Target classes are drawn from here, per seed; the rest of the pool is unlabelled clutter. */
  targetPool: string[];
  /** Classes the backbone is pretrained on. */
  pretraining: string[];
  /** Unlabelled clutter in the pretraining scenes. */
  pretrainingClutter: string[];
}

const TARGET_POOL = 400;
const PRETRAINING = 400;
const SPLIT_SEED = 777;

export function loadClassSplit(): ClassSplit {
  return JSON.parse(readFileSync(CLASS_SPLIT_FILE, 'utf8')) as ClassSplit;
}

/** How the lists were drawn, from the names that all vendors share. */
export function makeClassSplit(names: string[]): ClassSplit {
  const shuffled = new Random(SPLIT_SEED).shuffle([...names]);
  const firstPretraining = shuffled.length - PRETRAINING;
  return {
    targetPool: shuffled.slice(0, TARGET_POOL).sort(),
    pretraining: shuffled.slice(firstPretraining).sort(),
    pretrainingClutter: shuffled.slice(TARGET_POOL, firstPretraining).sort(),
  };
}
