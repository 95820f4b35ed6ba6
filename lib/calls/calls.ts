import type { NativeCriterion } from '../binding/addon';
import { runAsync } from '../binding/executor';
import { fromNative } from '../binding/native-failure';
import { rejectReading } from '../cuda/capture';
import { EflDisposedError } from '../errors';
import { describeConvention } from '../tensors/labels';
import { freeSpare, type BlockUser } from '../tensors/spare-memory';
import type { ArgumentReader } from './argument-reader';
import type { Labels, Logits, Targets } from './arguments';
import { readOptions, type CallKind, type GivenCall } from './call-options';
import type { CallReport, DeviceLossOutput } from './call-report';
import { checkCall } from './check-call';
import { checkNumbers, collectOf, normalizerOf, numberOf } from './call-numbers';
import type { CallRules, CheckedCall, OnDevice, OnHost } from './checked-call';
import { areOnDevice, deviceArguments } from './device-arguments';
import { hostArguments } from './host-arguments';
import { checkOutcome } from './outcome';
import { plainArrays, plainCall } from './plain-call';
import type { CollectOutput } from './results';
import { runOnDevice, type DeviceRun } from './run-on-device';
import { runOnHost, type HostOutput } from './run-on-host';
import { submitOnHost, type WaitingOwner } from './submit-on-host';

/** What a call returns, which has the types that go with its logits. */
type Output = HostOutput | DeviceLossOutput | CollectOutput;

/** The calls of one criterion, wherever their logits are, and the end of its native part. */
export class Calls implements WaitingOwner {
  readonly copies: BlockUser = { disposed: false };
  readonly expectedLabel: () => string;
  readonly #name: string;
  readonly #rules: CallRules;
  readonly #underWay = new Set<Promise<unknown>>();
  #native: NativeCriterion | undefined;
  // Of the last call on a device.
  #lastReport: CallReport | undefined;

  /** `name` is what errors call the criterion. */
  constructor(native: NativeCriterion, name: string, rules: CallRules) {
    this.expectedLabel = () => describeConvention(rules.convention, rules.numClasses);
    this.#native = native;
    this.#name = name;
    this.#rules = rules;
  }

  run(logits: Logits, labels: Labels | Targets, call: object | undefined, kind: CallKind): Output {
    this.native(); // before anything else is looked at: the criterion itself must be usable
    if (areOnDevice(logits)) return this.#runOnDevice(logits, labels, call, kind).output;
    const given = readOptions(call, kind.names.host);
    const plain = plainArrays(logits, labels, given, this.#rules);
    if (plain) return runOnHost(this, plainCall(plain, given, kind, this.#rules.reduction));
    return runOnHost(this, this.#check(hostArguments, logits, labels, given, kind));
  }

  async runAsync(...given: Parameters<Calls['run']>): Promise<Output> {
    const [logits, labels, call, kind] = given;
    const isOnDevice = areOnDevice(logits);
    if (isOnDevice) rejectReading();
    this.native(); // likewise
    if (!isOnDevice) {
      const options = readOptions(call, kind.names.host);
      return submitOnHost(this, this.#check(hostArguments, logits, labels, options, kind));
    }
    const { report, output } = this.#runOnDevice(...given);
    if (!kind.gradientsGiven) {
      await report.arrived();
      return output;
    }
    await this.synchronize();
    return report.read();
  }

  #runOnDevice(...[logits, labels, call, kind]: Parameters<Calls['run']>): DeviceRun {
    const options = readOptions(call, kind.names.device);
    const checked = this.#check(deviceArguments, logits, labels, options, kind);
    const run = runOnDevice(this, checked);
    this.#lastReport = run.report;
    return run;
  }

  #check<Place extends OnHost | OnDevice>(
    reader: ArgumentReader<Place>,
    logits: unknown,
    labels: unknown,
    given: GivenCall,
    kind: CallKind,
  ): CheckedCall<Place> {
    return checkCall(reader, this, logits, labels, given, this.#rules, kind);
  }

  /** Throws where a number has a value that no call may have. */
  checkNumbers(given: Pick<GivenCall, 'normalizer' | 'gradOutput'>): void {
    const { reduction } = this.#rules;
    const numbers = {
      normalizer: normalizerOf(given.normalizer, reduction),
      upstream: numberOf(given.gradOutput, 1),
      collect: collectOf(undefined, false),
      equalize: true,
      gradientsGiven: false,
      given,
    };
    checkNumbers(this, numbers);
  }

  /** Resolves when every call made before has been computed. */
  async synchronize(): Promise<void> {
    this.native();
    rejectReading();
    await Promise.allSettled([...this.#underWay, this.#lastReport?.arrived()]);
    this.native();
  }

  async finish(
    signal: AbortSignal | undefined,
    lists: boolean,
    submit: (outcome: Float64Array, done: () => void) => number,
  ): Promise<Float64Array> {
    const call = runAsync(this.#name, signal, submit);
    this.#underWay.add(call);
    try {
      const outcome = await call;
      checkOutcome(outcome, lists, this.expectedLabel);
      return outcome;
    } finally {
      this.#underWay.delete(call);
    }
  }

  native(): NativeCriterion {
    if (!this.#native) throw new EflDisposedError(this.#name);
    return this.#native;
  }

  /** Uses the native criterion, whose state may be on a device. */
  use<T>(body: (native: NativeCriterion) => T): T {
    return fromNative(() => body(this.native()));
  }

  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
    this.copies.disposed = true;
    freeSpare(this.copies);
    this.#lastReport = undefined;
  }
}
