/**
 * A training run between two steps, in one safetensors file: weights, momenta, the criterion's
 * statistics, the sampler's place in the data, and the curves so far. One file, written beside the
 * old one and renamed, is either there whole or not at all.
 */
import { EqualizedFocalLoss } from 'equalized-focal-loss';
import type * as tf from '@tensorflow/tfjs-core';

import { loadTensors, saveTensors, type StoredTensor } from '../io/safetensors.ts';
import type { Criterion } from '../loss/criteria.ts';
import { restoreVariable, storeTensor } from '../model/parameters.ts';
import type { History } from './history.ts';
import type { SamplerState } from './sampler.ts';

const FORMAT = '1';

/** The live objects that a checkpoint is taken of and restored into. */
export interface TrainingState {
  parameters: Record<string, tf.Variable>;
  momenta: ReadonlyMap<string, tf.Variable>;
  criterion: Criterion;
}

export interface Position {
  step: number;
  sampler: SamplerState;
  history: History;
}

export function saveCheckpoint(path: string, state: TrainingState, position: Position): void {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, variable] of Object.entries(state.parameters)) {
    tensors.set(`parameter.${name}`, storeTensor(variable));
  }
  for (const [name, variable] of state.momenta) {
    tensors.set(`momentum.${name}`, storeTensor(variable));
  }
  const { remaining, random } = position.sampler;
  tensors.set('sampler.remaining', { data: remaining, shape: [remaining.length] });
  const metadata: Record<string, string> = {
    format: FORMAT,
    step: String(position.step),
    random: String(random),
    history: JSON.stringify(position.history),
  };
  if (state.criterion instanceof EqualizedFocalLoss) {
    for (const [name, data] of Object.entries(state.criterion.stateDict())) {
      if (data instanceof Float64Array) {
        tensors.set(`criterion.${name}`, { data, shape: [data.length] });
      }
    }
    metadata['criterionSteps'] = String(state.criterion.statistics.steps);
  }
  saveTensors(path, { tensors, metadata });
}

export function loadCheckpoint(path: string, state: TrainingState): Position {
  const { tensors, metadata } = loadTensors(path);
  if (metadata['format'] !== FORMAT) throw new Error(`${path} is not a checkpoint of this example`);
  for (const [name, variable] of Object.entries(state.parameters)) {
    restoreVariable(variable, tensors, `parameter.${name}`);
  }
  for (const [name, variable] of state.momenta) {
    restoreVariable(variable, tensors, `momentum.${name}`);
  }
  const values = (name: string): StoredTensor['data'] => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${path} has no ${name}`);
    return tensor.data;
  };
  if (state.criterion instanceof EqualizedFocalLoss) {
    state.criterion.loadStateDict({
      pos_grad: values('criterion.pos_grad') as Float64Array,
      neg_grad: values('criterion.neg_grad') as Float64Array,
      pos_neg: values('criterion.pos_neg') as Float64Array,
      steps: Number(metadata['criterionSteps']),
    });
  }
  return {
    step: Number(metadata['step']),
    sampler: {
      random: Number(metadata['random']),
      remaining: values('sampler.remaining') as Int32Array,
    },
    history: JSON.parse(metadata['history'] ?? '') as History,
  };
}
