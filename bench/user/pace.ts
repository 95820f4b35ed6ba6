import { mixed, type Workload } from '../workload/workload';

/** A run has its time, and measures what fits in: so it can say how long it takes. */
export interface Pace {
  /** Of the whole run, shared by its shapes. */
  readonly seconds: number;
  /** A sample is as many calls as take at least this long. */
  readonly sampleMilliseconds: number;
  /** Slow contenders get as many rows as they can take in this time. */
  readonly callMilliseconds: number;
  readonly shapes: readonly Workload[];
}

/** An LVIS image, a COCO image, each smaller than most, and what a call costs beside its work. */
export const pace: Pace = {
  seconds: 60,
  sampleMilliseconds: 20,
  callMilliseconds: 400,
  shapes: [mixed(10_000, 1203), mixed(100_000, 80), mixed(100, 80)],
};

export const quickPace: Pace = {
  seconds: 20,
  sampleMilliseconds: 10,
  callMilliseconds: 150,
  shapes: [mixed(2000, 1203), mixed(100, 80)],
};
