/** The worker threads, one per core in use, with the progress of every task brought to its owner. */
import { Piscina } from 'piscina';

import type { SceneSet } from '../data/scenes.ts';
import { WORKER_MODULE } from '../paths.ts';
import type {
  FeatureTask,
  ProgressMessage,
  SceneTask,
  TaskControl,
  TrainOutcome,
  TrainTask,
} from './tasks.ts';

type ProgressListener = (message: ProgressMessage) => void;
type WithoutControl<Task> = Omit<Task, keyof TaskControl>;

export class WorkerPool {
  readonly size: number;
  private readonly threads: Piscina;
  private readonly listeners = new Map<string, ProgressListener>();
  private readonly stopFlag = new Int32Array(new SharedArrayBuffer(4));
  private lastId = 0;

  constructor(size: number) {
    this.size = size;
    this.threads = new Piscina({ filename: WORKER_MODULE, minThreads: size, maxThreads: size });
    this.threads.on('message', (message: ProgressMessage) => {
      this.listeners.get(message.id)?.(message);
    });
  }

  /** Every task, running or waiting, ends soon after: training with a checkpoint. */
  stop(): void {
    Atomics.store(this.stopFlag, 0, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.stopFlag, 0) !== 0;
  }

  drawScenes(task: WithoutControl<SceneTask>): Promise<SceneSet> {
    return this.run<SceneSet>('drawScenes', task);
  }

  extractFeatures(task: WithoutControl<FeatureTask>, onProgress: ProgressListener): Promise<void> {
    return this.run<void>('extractFeatures', task, onProgress);
  }

  trainLoss(task: WithoutControl<TrainTask>, onProgress: ProgressListener): Promise<TrainOutcome> {
    return this.run<TrainOutcome>('trainLoss', task, onProgress);
  }

  async close(): Promise<void> {
    await this.threads.destroy();
  }

  private async run<Result>(
    name: string,
    task: object,
    onProgress?: ProgressListener,
  ): Promise<Result> {
    const id = String(this.lastId++);
    if (onProgress) this.listeners.set(id, onProgress);
    try {
      return (await this.threads.run({ ...task, id, stop: this.stopFlag }, { name })) as Result;
    } finally {
      this.listeners.delete(id);
    }
  }
}
