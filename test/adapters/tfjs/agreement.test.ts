import { runFixture } from './tensorflow';

interface Agreement {
  readonly name: string;
  readonly form: string;
  readonly backend: string;
  readonly unchanged: boolean;
  /** Worst relative one of losses, gradients and statistics. */
  readonly error: number;
}

let results: Agreement[];
let warnings: string;
beforeAll(async () => {
  const { result, stderr } = await runFixture<Agreement[]>('agreement');
  results = result;
  warnings = stderr;
}, 60_000);

function errorsOf(...backends: readonly string[]): number[] {
  return results.filter(({ backend }) => backends.includes(backend)).map(({ error }) => error);
}

test('every criterion is compared, with labels and with dense targets', () => {
  const cases = new Set(results.map(({ name, form }) => `${name}, ${form}`));
  expect(cases.size).toBe(23);
});

test('on cpu, wasm and tensorflow it gives what the criterion gives by itself', () => {
  // But for the rounding of a loss to float32.
  for (const error of errorsOf('cpu', 'wasm', 'tensorflow')) expect(error).toBeLessThan(1e-7);
});

test('on another backend the composed operations give the same figures', () => {
  const errors = errorsOf('foreign');
  expect(errors).toHaveLength(23);
  for (const error of errors) expect(error).toBeLessThan(1e-5);
});

test('another backend is warned of once', () => {
  expect(warnings.match(/EFL_TFJS_COMPOSED/g)).toHaveLength(1);
  expect(warnings).toContain("backend 'foreign'");
});

test('no input is written to', () => {
  expect(results.every(({ unchanged }) => unchanged)).toBe(true);
});
