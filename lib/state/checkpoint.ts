import { EflArgumentError } from '../errors';
import { reject } from '../validation';
import { plainLosses } from './plain-losses';
import { printable, quoted } from './printable';
import { withRegularFile } from './regular-file';
import { NotLastingError, replaceFile } from './replace-file';
import {
  encodeSafetensors,
  isFloatVector,
  readSafetensors,
  type SafetensorsFile,
  type Source,
} from './safetensors';
import {
  checkState,
  contradiction,
  isSetting,
  otherSetting,
  otherVectors,
  ratioRanges,
  stateNames,
  type RatioRange,
  type ReadState,
  type State,
  type StateSettings,
} from './statistics';

/** The criterion a state is of. */
export interface StateOwner {
  /** As it stands in files: `stateName`. */
  readonly loss: string;
  readonly numClasses: number;
  readonly ratios: RatioRange;
  readonly settings: StateSettings;
}

/** What a loss is called in the files of its state. */
export function stateName(loss: string, rule: string): string {
  return `${loss}, ${rule}`;
}

/** Writes the state of a loss as a safetensors file: whole, or not at all. */
export function writeCheckpoint(file: unknown, state: State, owner: StateOwner): void {
  const target = checkPath(file);
  const { steps, pos_grad, neg_grad, pos_neg } = state;
  const isGiven = contradiction(state, owner.ratios) >= 0;
  const bytes = encodeSafetensors(
    { pos_grad, neg_grad, pos_neg },
    {
      ...{ format, loss: owner.loss, steps: String(steps), ...(isGiven && { ratios: given }) },
      half_life: String(owner.settings.half_life),
      start_after: String(owner.settings.start_after),
    },
  );
  try {
    replaceFile(target, bytes);
  } catch (error) {
    const isWritten = error instanceof NotLastingError;
    throw unusable(
      isWritten ? 'a path whose directory can be synchronized' : 'a path that can be written',
      error,
    );
  }
}

/**
 * Reads a state for a criterion and checks all of it, as `checkState` does. A file that names another
 * loss is refused: its gradients say nothing of the balance here.
 */
export function readCheckpoint(file: unknown, owner: StateOwner, prefix: string): State {
  const source = checkPath(file);
  try {
    return withRegularFile(source, (opened) => {
      const { origin, vectors } = openState(opened, prefix, owner.numClasses);
      if (origin.loss !== undefined && origin.loss !== owner.loss) {
        throw new Error(`the state of another loss: ${quoted(origin.loss)}, not '${owner.loss}'`);
      }
      const other = otherSetting(origin.settings, owner.settings);
      if (other) {
        const values = `${origin.settings[other]}, not ${owner.settings[other]}`;
        throw new Error(`the state of another ${optionNames[other]}: ${values}`);
      }
      return checkFound(vectors(), origin, owner.numClasses, owner.ratios);
    });
  } catch (error) {
    throw unusable(`a safetensors file with the state of ${owner.numClasses} classes`, error);
  }
}

/** A state that some criterion could load, whichever it is. */
export interface InspectedState extends ReadState {
  /** Undefined in a file from elsewhere. */
  readonly loss: string | undefined;
  readonly knowsSteps: boolean;
}

/** Reads a state and throws an Error if no criterion of at most so many classes would load it. */
export function inspectCheckpoint(
  file: string,
  prefix: string,
  mostClasses: number,
): InspectedState {
  return withRegularFile(file, (opened) => {
    const { origin, classes, vectors } = openState(opened, prefix);
    if (classes < 1 || classes > mostClasses) throw new Error(`the state of ${classes} classes`);
    const state = checkFound(vectors(), origin, classes, ...rangesOf(origin.loss));
    return {
      ...state,
      ...origin.settings,
      loss: origin.loss,
      knowsSteps: origin.steps !== undefined,
    };
  });
}

const format = 'equalized-focal-loss';
const given = 'given';
const settingNames = ['half_life', 'start_after'] as const;
const optionNames = { half_life: 'halfLife', start_after: 'startAfter' } as const;

/** What the metadata of a file say. */
interface Origin {
  readonly loss?: string | undefined;
  readonly steps?: number | undefined;
  /** Whether the ratios are those of a state dict, which need not follow from the sums. */
  readonly ratiosAreGiven: boolean;
  /** Of a file of ours, but for those that know of none. */
  readonly settings: Partial<StateSettings>;
}

interface OpenedState {
  readonly origin: Origin;
  readonly classes: number;
  /** Reads the values, which nothing before has done. */
  readonly vectors: () => Record<string, Float64Array>;
}

function openState(source: Source, prefix: string, numClasses?: number): OpenedState {
  const file = readSafetensors(source);
  const classes = numClasses ?? lengthOf(file, prefix + stateNames[0]);
  for (const name of stateNames) {
    const length = lengthOf(file, prefix + name);
    if (length !== classes) {
      throw new Error(`${length} values in ${printable(prefix + name)}, not ${classes}`);
    }
  }
  return {
    origin: prefix === '' ? readOrigin(file.metadata) : { ratiosAreGiven: false, settings: {} },
    classes,
    vectors: () =>
      Object.fromEntries(stateNames.map((name) => [name, file.readVector(prefix + name)!])),
  };
}

/** The length of a vector that must be there. */
function lengthOf({ tensors }: SafetensorsFile, name: string): number {
  const entry = tensors.get(name);
  if (entry && isFloatVector(entry)) return entry.shape[0]!;
  const wanted = printable(name);
  if (entry) {
    const found = `${entry.dtype} of shape [${entry.shape.join(', ')}]`;
    throw new Error(`${wanted} is ${found}, not a vector of F64 or F32`);
  }
  throw new Error(`no vector ${wanted} of F64 or F32${otherVectors([...tensors.keys()])}`);
}

/**
 * A file of ours has a format, a loss and a number of steps. Where one of them is damaged the others
 * still say so; the metadata of a file from elsewhere have none, or one by chance.
 */
function readOrigin(metadata: ReadonlyMap<string, string>): Origin {
  const [written, loss, steps] = ['format', 'loss', 'steps'].map((key) => metadata.get(key));
  const isOurs = written === format || (loss !== undefined && steps !== undefined);
  if (isOurs) {
    const missing = loss === undefined ? 'loss' : steps === undefined ? 'steps' : undefined;
    if (missing) throw new Error(`metadata without ${missing}`);
    if (written !== format) {
      throw new Error(`metadata with format ${quoted(written ?? '')}, not '${format}'`);
    }
  }
  return {
    loss,
    steps: steps === undefined ? undefined : readSteps(steps),
    ratiosAreGiven: isOurs && metadata.get('ratios') === given,
    settings: isOurs ? readSettings(metadata) : {},
  };
}

function readSettings(metadata: ReadonlyMap<string, string>): Partial<StateSettings> {
  const found: { -readonly [Name in keyof StateSettings]?: number } = {};
  for (const name of settingNames) {
    const text = metadata.get(name);
    if (text === undefined) continue;
    const value = text.trim() === '' ? NaN : Number(text);
    if (!isSetting(name, value)) throw new Error(`metadata with ${name} ${quoted(text)}`);
    found[name] = value;
  }
  // Older files know of none of them.
  const missing = settingNames.find((name) => found[name] === undefined);
  if (missing && Object.keys(found).length > 0) throw new Error(`metadata without ${missing}`);
  return found;
}

function readSteps(text: string): number {
  const steps = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(steps)) return steps;
  throw new Error(`metadata with steps ${quoted(text)}, not an integer from 0 to 2^53 - 1`);
}

/** Checks values that were read, for the first of these ranges that they fit. */
function checkFound(
  vectors: Record<string, Float64Array>,
  { steps, ratiosAreGiven }: Pick<Origin, 'steps' | 'ratiosAreGiven'>,
  numClasses: number,
  range: RatioRange,
  ...others: readonly RatioRange[]
): State {
  try {
    const state = checkState({ ...vectors, steps }, numClasses, range);
    const at = ratiosAreGiven ? -1 : contradiction(state, range);
    if (at < 0) return state;
    throw new Error(`a ratio of class ${at} that its sums contradict, ${state.pos_neg[at]}`);
  } catch (error) {
    const [next, ...rest] = others;
    if (!next) throw error;
    return checkFound(vectors, { steps, ratiosAreGiven }, numClasses, next, ...rest);
  }
}

/** What the ratios of a loss with this name can be; of any loss where a file does not say which. */
function rangesOf(loss: string | undefined): [RatioRange, ...RatioRange[]] {
  const [first, ...rest] = [...ratioRanges]
    .filter(
      ([rule]) => !loss || [...plainLosses.keys()].some((name) => stateName(name, rule) === loss),
    )
    .map(([, range]) => range);
  if (!first) throw new Error(`the state of a loss that is unknown, ${quoted(loss ?? '')}`);
  return [first, ...rest];
}

function unusable(expected: string, cause: unknown): EflArgumentError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new EflArgumentError('path', expected, problem, { cause });
}

function checkPath(file: unknown): string {
  if (typeof file !== 'string' || file === '') reject('path', 'the path of a file', file);
  return file;
}
