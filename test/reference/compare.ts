/** Comparisons that say what differs: which element, by how much, how many. */

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, max } = Math;
const { is } = Object;
const { isFinite } = Number;

/** Whether everything is computed on a GPU, a real or an emulated one. */
export const onGpu = process.env['EFL_DEVICE']?.startsWith('cuda') ?? false;

/** What the special functions of a GPU leave. */
const leastRelative = onGpu ? 1e-5 : 0;

export type Values = number | ArrayLike<number>;

export interface Tolerance {
  readonly relative: number;
  /** One value, or one per element. */
  readonly absolute?: number | ArrayLike<number>;
}

/** Elements and gradients in float32 against float64, down to where float32 underflows. */
export const ELEMENT: Tolerance = { relative: 1e-5, absolute: 1e-37 };

/** Sums by class against float64 sums. */
export const STATISTICS: Tolerance = { relative: 2e-6, absolute: 1e-35 };

/** The tolerance of elements that carry a factor. */
export function elementTolerance(factor: number): Tolerance {
  return { relative: ELEMENT.relative, absolute: 1e-37 * max(1, factor) };
}

function toArray(values: Values): ArrayLike<number> {
  return typeof values === 'number' ? [values] : values;
}

function allowedError(expected: number, { relative, absolute = 0 }: Tolerance, i: number): number {
  const floor = typeof absolute === 'number' ? absolute : absolute[i]!;
  return max(floor, max(relative, leastRelative) * abs(expected));
}

function isClose(actual: number, expected: number, allowed: number): boolean {
  if (is(actual, expected)) {
    return true;
  }
  return isFinite(expected) && abs(actual - expected) <= allowed;
}

interface Difference {
  readonly index: number;
  readonly text: string;
}

function report(
  what: string,
  actualValues: Values,
  expectedValues: Values,
  compare: (actual: number, expected: number, index: number) => string | undefined,
): string | undefined {
  const actual = toArray(actualValues);
  const expected = toArray(expectedValues);
  if (actual.length !== expected.length) {
    return `${what}: received ${actual.length} values, expected ${expected.length}`;
  }
  const differences: Difference[] = [];
  for (let index = 0; index < expected.length; index += 1) {
    const text = compare(actual[index]!, expected[index]!, index);
    if (text !== undefined) {
      differences.push({ index, text });
    }
  }
  if (differences.length === 0) {
    return undefined;
  }
  const shown = differences.slice(0, 5).map(({ index, text }) => `  [${index}] ${text}`);
  const head = `${what}: ${differences.length} of ${expected.length} values differ`;
  return [head, ...shown].join('\n');
}

function fail(message: string, from: (...args: never[]) => void): never {
  const error = new Error(message);
  Error.captureStackTrace(error, from);
  throw error;
}

/** Equal within the tolerance; NaN equals NaN, infinities equal themselves. */
export function expectClose(
  what: string,
  actual: Values,
  expected: Values,
  tolerance: Tolerance,
): void {
  const message = report(what, actual, expected, (received, wanted, i) => {
    const allowed = allowedError(wanted, tolerance, i);
    if (isClose(received, wanted, allowed)) {
      return undefined;
    }
    const error = abs(received - wanted);
    return `received ${received}, expected ${wanted}, error ${error}, allowed ${allowed}`;
  });
  if (message !== undefined) {
    fail(message, expectClose);
  }
}

/** Equal to the last bit: +0 and -0 differ, NaN equals NaN. */
export function expectSame(what: string, actual: Values, expected: Values): void {
  const message = report(what, actual, expected, (received, wanted) =>
    is(received, wanted) ? undefined : `received ${text(received)}, expected ${text(wanted)}`,
  );
  if (message !== undefined) {
    fail(message, expectSame);
  }
}

function text(value: number): string {
  return is(value, -0) ? '-0' : String(value);
}
