import { operationNames } from '../../bench/gpu/operations';
import { rowsOfPlanes, sumsOf } from '../../bench/gpu/problem';
import { measurement } from '../../bench/gpu/stopwatch';
import { bufferCount, bytesMoved, mapOf } from '../../bench/gpu/traffic';
import { bounds, errorsOf, requireEqual, worseOf } from '../../bench/measure/accuracy';
import { crossover } from '../../bench/report/gpu-tables';
import { htmlOf } from '../../bench/report/html';
import { markdownOf } from '../../bench/report/markdown';
import type { HostArraysResult, Measurement, Report } from '../../bench/report/report';
import { parseReport } from '../../bench/report/schema';
import { bitsOf, valuesOf } from '../../bench/workload/half';
import { solveInFloat64 } from '../../bench/workload/reference';
import { makeProblem } from '../../bench/workload/workload';
import { ALL_BITS, fromHalf, toHalf } from '../reference/half';
import { Random } from '../reference/random';

describe('bytes moved', () => {
  const shape = { rows: 1000, classes: 80 };

  test.each([
    ['copy', 'float32', 640_000],
    ['forward', 'float32', 324_000],
    ['forwardBackward', 'float32', 644_000],
    ['inPlace', 'float16', 324_000],
    ['forwardBackwardPlanes', 'bfloat16', 324_000],
    ['collectRows', 'float16', 164_000],
    ['collectPlanes', 'float32', 324_000],
  ] as const)('%s of %s logits: %d', (operation, type, bytes) => {
    expect(bytesMoved(operation, shape, type)).toBe(bytes);
  });
});

describe('buffers', () => {
  test('are more than a cache holds, some at least, and not countless', () => {
    const plenty = 80e9;
    expect(bufferCount(64 * 2 ** 20, plenty)).toBe(4);
    expect(bufferCount(1e9, plenty)).toBe(4);
    expect(bufferCount(2 ** 22, plenty)).toBe(64);
    expect(bufferCount(100, plenty)).toBe(256);
  });

  test('take half of the free memory, and are none where one has no room', () => {
    expect(bufferCount(1e9, 4e9)).toBe(2);
    expect(bufferCount(3e9, 4e9)).toBe(0);
  });
});

test.each([
  [1_000_000, [16, 250, 250]],
  [100_000, [16, 50, 125]],
  [44_600, [8, 25, 223]],
  [7, [1, 1, 7]],
])('%d positions are feature maps', (positions, maps) => {
  expect(mapOf(positions)).toEqual(maps);
});

describe('16-bit inputs', () => {
  test.each(['float16', 'bfloat16'] as const)('are rounded to the nearest %s', (type) => {
    const random = new Random(5);
    const values = Float32Array.from([
      ...Array.from({ length: 3000 }, () => random.uniform(-2, 2) * 2 ** random.uniform(-40, 40)),
      ...[0, -0, 1, 65504, 65519.99, 65520, -1e30, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 6e-8],
      ...[2 ** -14, 2 ** -14 - 2 ** -25, Infinity, -Infinity],
    ]);
    const expected = Uint16Array.from(values, (value) => toHalf(value, type));
    expect(bitsOf(values, type)).toEqual(expected);
  });

  test.each(['float16', 'bfloat16'] as const)('every number of %s stays what it is', (type) => {
    const values = Float32Array.from(ALL_BITS, (bits) => fromHalf(bits, type));
    expect(valuesOf(bitsOf(values, type), type)).toEqual(values);
  });
});

describe('errors', () => {
  const problem = makeProblem({ rows: 6, classes: 3, gamma: 'mixed' });
  const reference = solveInFloat64(problem);
  const exact = { ...reference, gradient: Float32Array.from(reference.gradient) };

  test('are those of what there is of a solution', () => {
    const found = errorsOf(exact, reference, 'float32');
    expect(found).toEqual({ loss: 0, gradient: expect.any(Number) as number, statistics: 0 });
    expect(found.gradient).toBeGreaterThan(0);
    expect(found.gradient).toBeLessThan(2 ** -24);
    expect(errorsOf({ loss: 2 * reference.loss }, reference, 'float32')).toEqual({
      ...{ loss: 1, gradient: null, statistics: null },
    });
  });

  test('beyond what a type can say keep a thing from being timed', () => {
    const gradient = exact.gradient.map((value) => value * 1.005);
    const found = errorsOf({ gradient }, reference, 'float32');
    expect(() => requireEqual('it', found, 'float32')).toThrow(
      'it computes something else: off from float64 in gradient by 5.0e-3',
    );
    expect(requireEqual('it', found, 'bfloat16')).toBe(found);
    const unknown = errorsOf({ loss: NaN }, reference, 'bfloat16');
    expect(() => requireEqual('it', unknown, 'bfloat16')).toThrow('loss by Infinity');
  });

  test('of float16 are not those of numbers that it cannot tell from 0', () => {
    const tiny = { ...reference, gradient: [1e-9, 1] };
    const gradient = Float32Array.of(0, 1);
    expect(errorsOf({ gradient }, tiny, 'float16').gradient).toBeLessThan(bounds.float16.tolerance);
    expect(errorsOf({ gradient }, tiny, 'bfloat16').gradient).toBe(1);
  });

  test('of several checks are the largest', () => {
    const first = { loss: 1, gradient: null, statistics: 3 };
    const second = { loss: 2, gradient: 5, statistics: null };
    expect(worseOf(first, second)).toEqual({ loss: 2, gradient: 5, statistics: 3 });
  });
});

test('planes are the rows of their positions', () => {
  // Two images of two classes and three positions.
  const planes = Float32Array.of(1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60);
  const rows = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60];
  expect([...rowsOfPlanes(planes, 2, [2, 1, 3])]).toEqual(rows);
});

test('sums of given gradients leave ignored rows out', () => {
  const logits = Float32Array.of(1, -2, -3, 4, 5, 6);
  const labels = Int32Array.of(1, 0, -1);
  const gamma = new Float64Array(2);
  expect(sumsOf({ rows: 3, classes: 2, logits, labels, gamma })).toEqual({
    positive: Float64Array.of(1, 0),
    negative: Float64Array.of(3, 6),
  });
});

const spread = (median: number) => ({ median, lower: median, upper: median });

test('times are those of a GPU, or none', () => {
  expect(measurement(false, [3, 1, 2])).toEqual({ median: 2, lower: 1.5, upper: 2.5 });
  expect(measurement(true, [3, 1, 2])).toBeNull();
});

test('the crossover is the size from which on the GPU stays ahead', () => {
  const result = (rows: number, ratio: number): HostArraysResult => ({
    ...{ rows, classes: 80, ratio: spread(ratio) },
    ...{ cudaMicroseconds: spread(1), cpuMicroseconds: spread(ratio) },
  });
  const results = [result(10, 0.1), result(100, 1.2), result(1000, 0.9), result(10_000, 2)];
  expect(crossover(results)?.rows).toBe(10_000);
  expect(crossover(results.slice(0, 3))).toBeNull();
  expect(crossover([])).toBeNull();
});

describe('the report', () => {
  const workload = (time: Measurement) => ({
    ...({ name: '1000 x 80, float32', rows: 1000, classes: 80, gamma: 'mixed' } as const),
    ...({ type: 'float32', buffers: 4 } as const),
    operations: operationNames.map((operation) => ({
      ...{ operation, bytes: 644_000, microseconds: time, shareOfCopy: time && spread(0.9) },
      bytesPerSecond: time && spread(3.9e12),
      errors: { loss: null, gradient: 1e-6, statistics: 2e-6 },
    })),
    hostMicroseconds: { captured: time, uncaptured: time },
    peers: [],
    skipped: [{ id: 'triton', name: 'Triton', reason: 'python3 has no triton' }],
  });
  const report = (emulated: boolean): Report => {
    const time = emulated ? null : spread(165);
    return {
      ...{ schema: 1, package: 'efl 0', created: '2026-01-01T00:00:00.000Z', command: 'bench' },
      machine: {
        ...{ cpu: 'a processor', cpuNumbers: null, cores: 2, memoryBytes: 2 ** 34 },
        ...{ platform: 'linux-x64', node: '20', instructionSets: [] },
      },
      ...{ copyBandwidth: [], workloads: [], distributions: [], figures: [], studies: [] },
      notMeasured: ['1 x 1, float32: no memory'],
      gpu: {
        ...{ emulated, device: emulated ? 'EMULATED' : 'a GPU', deviceMemoryBytes: 2 ** 33 },
        copy: { bytes: 1000, bytesPerSecond: time && spread(4.3e12) },
        launch: { inGraphMicroseconds: time, inStreamMicroseconds: time, hostMicroseconds: time },
        workloads: [workload(time)],
        hostArrays: [],
      },
    };
  };

  test('has times, shares of the copy, errors, and what was skipped or failed', () => {
    const markdown = markdownOf(report(false));
    expect(markdown).toMatch(/\| forwardBackward, in place \| +644,000 \| +165 us \|/);
    expect(markdown).toMatch(/3,900 GB\/s \| +90\.0 % \| +2\.0e-6 \|/);
    expect(markdown).toMatch(/\| Triton +\| all +\| python3 has no triton/);
    expect(markdown).toContain('## Not measured\n\n1 x 1, float32: no memory.');
    expect(markdown).not.toMatch(/emulated/i);
  });

  test('of an emulated device says so and has no times', () => {
    const markdown = markdownOf(report(true));
    expect(markdown).toMatch(/^# efl 0: EMULATED GPU benchmark\n\nEMULATED:/);
    expect(markdown).not.toMatch(/\d us\b|\d GB\/s/);
  });

  test.each([true, false])('is one of the benchmark, emulated or not: %s', (emulated) => {
    const whole = report(emulated);
    expect(parseReport(JSON.stringify(whole))).toEqual(whole);
    const page = htmlOf(whole, []);
    expect(page).toContain(`<h1>efl 0: ${emulated ? 'EMULATED ' : ''}GPU benchmark</h1>`);
    expect(page).toContain('<td>forwardBackward, in place</td>');
  });
});
