/** A criterion beside its reference. */

import {
  AdaptiveClassSuppressionLoss,
  AsymmetricLoss,
  EffectiveClassMarginLoss,
  EflArgumentError,
  EqualizationLoss,
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  EqualizedVarifocalLoss,
  FocalLoss,
  IouAwareBceLoss,
  MatchabilityAwareLoss,
  QualityFocalLoss,
  VarifocalLoss,
} from '../../../lib';
import type { Criterion, HostTensor } from '../../../lib';
import { expectClose, expectSame, STATISTICS } from '../../reference/compare';
import { ReferenceCriterion } from '../../reference/criterion';
import type { ReferenceOutput } from '../../reference/criterion';
import { isStateful } from '../../reference/family';
import { countsOf, expectSameState, stateOf } from '../../reference/harness';
import type { ImplementationOutput, StateView, Values } from '../../reference/harness';
import { KINDS } from '../../reference/kinds';
import type { LossKind } from '../../reference/kinds';
import { argumentsOf, spoil } from './arguments';
import type { Arguments } from './arguments';
import { expectResult } from './expect-result';
import type { Sample } from './sample';
import type { Plan, Scenario } from './scenario';

const LOSSES: Readonly<Record<LossKind, new (options: never) => Criterion>> = {
  focal: FocalLoss,
  equalizedFocal: EqualizedFocalLoss,
  qualityFocal: QualityFocalLoss,
  equalizedQualityFocal: EqualizedQualityFocalLoss,
  equalizationV2: EqualizationLossV2,
  equalization: EqualizationLoss,
  adaptiveClassSuppression: AdaptiveClassSuppressionLoss,
  varifocal: VarifocalLoss,
  equalizedVarifocal: EqualizedVarifocalLoss,
  iouAwareBce: IouAwareBceLoss,
  matchability: MatchabilityAwareLoss,
  asymmetric: AsymmetricLoss,
  classMargin: EffectiveClassMarginLoss,
};

/** A criterion and the reference of the same options, which takes over its state before each call. */
export class Pair {
  readonly criterion: Criterion;
  private readonly reference: ReferenceCriterion;
  protected readonly scenario: Scenario;

  constructor(scenario: Scenario) {
    const { kind, options } = scenario;
    this.scenario = scenario;
    this.criterion = new LOSSES[kind](options as never);
    this.reference = new ReferenceCriterion(options, kind);
  }

  /** Whether there is such a call. */
  can({ method }: Plan): boolean {
    return method !== 'collectGrad' || isStateful(this.criterion);
  }

  /** One call by both, compared. */
  async call(given: Plan): Promise<void> {
    const made = argumentsOf(given, this.scenario);
    const before = this.state();
    const spoilt = given.spoilt ? spoil(made, this.scenario.options) : undefined;
    if (spoilt !== undefined) {
      await this.refuse(given, made, spoilt);
      if (before) expectSameState(this.state()!, before);
      return;
    }
    if (isStateful(this.criterion)) this.reference.load(this.criterion.stateDict());
    const expected = this.expected(given, made);
    const output = await this.run(given, made);
    if ('loss' in expected) expectResult(output, expected, made, this.scenario);
    else expect(countsOf(output)).toEqual(countsOf(expected));
    if (before && given.collect === 'defer') this.commit(before);
    if (before) this.expectState(given, before, expected);
  }

  /** What a call has deferred enters the state when it is committed, and not before. */
  private commit(before: StateView): void {
    expectSameState(this.state()!, before);
    if (isStateful(this.criterion)) this.criterion.commit();
  }

  /** The same call without waiting for its end. */
  async run(given: Plan, made = argumentsOf(given, this.scenario)): Promise<ImplementationOutput> {
    const { logits, targets, call } = made;
    const method =
      given.method === 'forward' || given.method === 'collectGrad'
        ? given.method
        : 'forwardBackward';
    const criterion = this.criterion as unknown as Record<
      string,
      (...args: readonly unknown[]) => ImplementationOutput | Promise<ImplementationOutput>
    >;
    const name = given.asynchronous ? `${method}Async` : method;
    return criterion[name]!(logits, targets, call);
  }

  state(): StateView | undefined {
    return isStateful(this.criterion) ? stateOf(this.criterion) : undefined;
  }

  private expected(given: Plan, { sample, call }: Arguments): Expected {
    const { logits, labels, dense, quality, upstream } = sample;
    const { rowWeight, mask, classMask } = sample;
    if (given.method === 'collectGrad') return this.collected(sample, given.lossScale);
    const targets = dense ? { dense } : labels;
    const named = {
      normalizer: call['normalizer'] as number | undefined,
      lossScale: call['lossScale'] as number | undefined,
      gradOutput:
        ArrayBuffer.isView(call['gradOutput']) || typeof call['gradOutput'] === 'object'
          ? upstream
          : (call['gradOutput'] as number | undefined),
      quality,
      rowWeight,
      mask,
      classMask,
      equalize: call['equalize'] as boolean | undefined,
    };
    return this.reference.forward(logits, targets, named);
  }

  /** Of gradients from elsewhere the reference keeps the sums in its state. */
  private collected({ logits, labels }: Sample, lossScale = 1): Expected {
    const { reference } = this;
    const before = { positive: reference.positive.slice(), negative: reference.negative.slice() };
    const counts = reference.collectGrad(logits, labels, lossScale);
    const positive = reference.positive.map((sum, j) => sum - before.positive[j]!);
    const negative = reference.negative.map((sum, j) => sum - before.negative[j]!);
    return {
      ...counts,
      positive,
      negative,
      positiveScale: reference.positive,
      negativeScale: reference.negative,
    };
  }

  private async refuse(given: Plan, made: Arguments, spoilt: string): Promise<void> {
    const kept = made.grad && Buffer.from(bytesOf(made.grad));
    const error: unknown = await this.run(given, made).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(EflArgumentError);
    expect((error as EflArgumentError).argument).toMatch(
      new RegExp(`^${spoilt}(\\[\\d+\\]){1,2}$`),
    );
    if (made.grad) expect(bytesOf(made.grad)).toEqual(kept);
  }

  /**
   * What a call adds to the state: nothing where all its gradients are 0, and perhaps nothing where
   * float32 holds none of them.
   */
  private expectState(given: Plan, before: StateView, expected: Expected): void {
    const after = this.state()!;
    const collects =
      given.method === 'collectGrad' || (given.method !== 'forward' && given.collect !== false);
    const least = STATISTICS.absolute as number;
    const largest = Math.max(...expected.positive, ...expected.negative);
    if (!collects || largest === 0 || (largest < least && after.steps === before.steps)) {
      expectSameState(after, before);
      return;
    }
    expect(after.steps).toBe(before.steps + 1);
    const { halfLife = Infinity, startAfter = 0 } = this.scenario.options;
    const decay = 2 ** (-1 / halfLife);
    for (const name of ['positive', 'negative'] as const) {
      const total = before[name].map((sum, j) => sum * decay + expected[name][j]!);
      const absolute = total.map((sum, j) =>
        Math.max(least, STATISTICS.relative * expected[`${name}Scale`][j]! + 1e-14 * sum),
      );
      expectClose(`${name} sums`, after[name], total, { relative: 0, absolute });
    }
    if (after.steps <= startAfter) {
      expectSame('ratios', after.ratio, before.ratio);
      return;
    }
    const ratio = KINDS[this.scenario.kind].ratio!;
    const ratios = after.positive.map((sum, j) => ratio.of(sum, after.negative[j]!));
    expectClose('ratios', after.ratio, ratios, { relative: 1e-12, absolute: 1e-300 });
  }
}

type Sums = Pick<ReferenceOutput, 'positive' | 'negative' | 'positiveScale' | 'negativeScale'>;
type Counts = Pick<ReferenceOutput, 'positives' | 'ignored' | 'nonFinite'>;
type Expected = ReferenceOutput | (Sums & Counts);

function levelsOf(values: Values): (Float32Array | Uint16Array)[] {
  if (Array.isArray(values)) return (values as readonly HostTensor[]).flatMap(levelsOf);
  const data: unknown = ArrayBuffer.isView(values) ? values : (values as HostTensor).data;
  return [data as Float32Array];
}

function bytesOf(values: Values): Buffer {
  return Buffer.concat(
    levelsOf(values).map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  );
}
