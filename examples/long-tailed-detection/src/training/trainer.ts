/** Trains one head with one loss, from the start or from a checkpoint. */
import { existsSync } from 'node:fs';

import * as tf from '@tensorflow/tfjs-core';
import { priorBias } from 'equalized-focal-loss';

import type { ExperimentConfig, LossName } from '../config.ts';
import { CELLS } from '../data/geometry.ts';
import { Random } from '../data/random.ts';
import type { TensorBoardWriter } from '../io/tensorboard.ts';
import { createCriterion, equalization, type Criterion } from '../loss/criteria.ts';
import { nativeLoss } from '../loss/native-loss.ts';
import { FEATURES } from '../model/feature-size.ts';
import { DetectionHead } from '../model/head.ts';
import { loadCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.ts';
import { emptyHistory, spreadByGroup, type History } from './history.ts';
import { BatchSampler, type Batch, type TrainingData } from './sampler.ts';
import { learningRateAt, MomentumSgd } from './sgd.ts';

export interface TrainerOptions {
  loss: LossName;
  seed: number;
  config: ExperimentConfig;
  /** Images per class. */
  counts: readonly number[];
  data: TrainingData;
}

/** Steps between two points of the curves. */
const CURVE_INTERVAL = 8;

export class Trainer {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly head: DetectionHead;
  readonly criterion: Criterion;
  history: History = emptyHistory();
  step = 0;
  private readonly options: TrainerOptions;
  private readonly optimizer: MomentumSgd;
  private readonly sampler: BatchSampler;

  constructor(options: TrainerOptions) {
    const { config, loss, seed, data } = options;
    this.options = options;
    this.stepsPerEpoch = Math.floor(data.images / config.batchSize);
    this.steps = this.stepsPerEpoch * config.epochs;
    // Seeds without the loss in them: all losses start from the same weights and see the same batches.
    this.sampler = new BatchSampler(data, config.batchSize, 9000 + seed);
    const bias = priorBias(config.priors[loss]);
    const random = new Random(5000 + seed);
    this.head = new DetectionHead(config.classes, config.hiddenUnits, bias, random);
    this.criterion = createCriterion(loss, config);
    this.optimizer = new MomentumSgd(this.head.parameters, config.momentum, config.weightDecay);
  }

  get done(): boolean {
    return this.step >= this.steps;
  }

  /** One step of gradient descent. */
  trainStep(log?: TensorBoardWriter): void {
    const { config, loss } = this.options;
    const rate = learningRateAt(this.step, this.steps, config.learningRates[loss]);
    const { value, milliseconds } = tf.tidy(() => this.descend(this.sampler.next(), rate));
    this.step++;
    this.history.lossMilliseconds.push(milliseconds);
    this.history.pending.sum += value;
    this.history.pending.steps++;
    if (this.step % CURVE_INTERVAL === 0 || this.done) this.recordCurve(rate, log);
  }

  /** Scores of CELLS x classes for the features of one or more images. */
  scores(features: Float32Array): Float32Array {
    const scores = tf.tidy(() =>
      tf.sigmoid(this.head.logits(tf.tensor2d(features, [features.length / FEATURES, FEATURES]))),
    );
    // Outside of tidy, which would walk through every element of a returned array.
    const values = Float32Array.from(scores.dataSync());
    scores.dispose();
    return values;
  }

  save(path: string): void {
    const { step, history } = this;
    saveCheckpoint(path, this.state(), { step, sampler: this.sampler.state, history });
  }

  /** Goes on from a checkpoint if there is one. */
  restore(path: string): void {
    if (!existsSync(path)) return;
    const { step, sampler, history } = loadCheckpoint(path, this.state());
    this.step = step;
    this.sampler.state = sampler;
    this.history = history;
  }

  dispose(): void {
    this.head.dispose();
    this.optimizer.dispose();
    this.criterion.dispose();
  }

  private state(): TrainingState {
    const { head, criterion, optimizer } = this;
    return { parameters: head.parameters, momenta: optimizer.momenta, criterion };
  }

  private descend(batch: Batch, rate: number): { value: number; milliseconds: number } {
    const rows = this.options.config.batchSize * CELLS;
    const features = tf.tensor2d(batch.features, [rows, FEATURES]);
    let milliseconds = 0;
    const { value, grads } = tf.variableGrads(() => {
      const logits = this.head.logits(features);
      const normalizer = Math.max(1, batch.positives);
      const loss = nativeLoss(this.criterion, logits, batch.labels, normalizer);
      milliseconds = loss.milliseconds;
      return loss.value;
    });
    this.optimizer.apply(grads, rate);
    return { value: value.dataSync()[0], milliseconds };
  }

  private recordCurve(learningRate: number, log?: TensorBoardWriter): void {
    const { history, step, criterion } = this;
    const loss = history.pending.sum / history.pending.steps;
    history.pending = { sum: 0, steps: 0 };
    const values = equalization(criterion);
    const { counts } = this.options;
    const spreads = values && {
      gamma: spreadByGroup(values.focusingFactor, counts),
      gradientRatio: spreadByGroup(values.gradientRatio, counts),
    };
    history.curve.push({ step, loss, learningRate, ...spreads });
    log?.scalar('train/loss', loss, step);
    log?.scalar('train/learning_rate', learningRate, step);
    log?.scalar('train/loss_milliseconds', history.lossMilliseconds.at(-1) ?? 0, step);
    if (!values || !spreads) return;
    for (const [group, { mean }] of Object.entries(spreads.gamma)) {
      log?.scalar(`gamma_j/${group}`, mean, step);
    }
    log?.histogram('gamma_j', values.focusingFactor, step);
  }
}
