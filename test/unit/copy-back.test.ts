import { FocalLoss } from '../../lib';
import { bytesOfTurn } from '../../lib/calls/turns';

const numClasses = 64;
const valuesOfTurn = bytesOfTurn / 4;
/** How many values of a gradient are looked at: one of so many. */
const stride = 1 << 14;

function problem(values: number, seed = 1): { logits: Float32Array; labels: Int32Array } {
  const logits = new Float32Array(values).fill(-seed);
  for (let i = 0; i < values; i += 997) logits[i] = (i * seed) % 7;
  return { logits, labels: new Int32Array(values / numClasses).fill(3) };
}

function countWritten(grad: Float32Array): number {
  let written = 0;
  for (let i = 0; i < grad.length; i += stride) written += Number.isNaN(grad[i]) ? 0 : stride;
  return written;
}

/** Bit for bit, and fast. */
function expectSame(actual: Float32Array | Uint16Array, expected: Float32Array | Uint16Array) {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer, byteOffset, byteLength);
  expect(bytes(actual).equals(bytes(expected))).toBe(true);
}

function unwritten(length: number): Float32Array {
  return new Float32Array(length).fill(NaN);
}

/** How many values were written in each turn of the event loop, until `calls` have settled. */
async function writtenByTurn(
  grads: readonly Float32Array[],
  calls: readonly Promise<unknown>[],
): Promise<number[]> {
  let isOver = false;
  const all = Promise.all(calls).finally(() => (isOver = true));
  const turns: number[] = [];
  let before = 0;
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = grads.reduce((sum, grad) => sum + countWritten(grad), 0);
    if (now > before) turns.push(now - before);
    before = now;
  }
  await all;
  return turns;
}

describe('a gradient that is copied back', () => {
  const criterion = new FocalLoss({ numClasses });

  test('takes a turn of the event loop for every 2 MiB of all calls together', async () => {
    const { logits, labels } = problem(3 * valuesOfTurn + stride);
    const grads = [unwritten(logits.length), unwritten(logits.length)];
    const calls = grads.map((grad) => criterion.forwardBackwardAsync(logits, labels, { grad }));
    const turns = await writtenByTurn(grads, calls);
    expect(Math.max(...turns)).toBeLessThanOrEqual(valuesOfTurn);
    expect(turns).toHaveLength(8);
    const expected = criterion.forwardBackward(logits, labels).grad;
    for (const grad of grads) expectSame(grad, expected);
  });

  test('goes over levels and 16-bit values likewise', async () => {
    const { logits, labels } = problem(valuesOfTurn);
    const levels = [1, 2, 3].map(() => ({ data: logits, shape: [labels.length, numClasses] }));
    const grad = levels.map(({ shape }) => ({ data: unwritten(logits.length), shape }));
    const call = criterion.forwardBackwardAsync(levels, [labels, labels, labels], { grad });
    const data = grad.map((level) => level.data);
    expect(Math.max(...(await writtenByTurn(data, [call])))).toBeLessThanOrEqual(valuesOfTurn);
    const expected = criterion.forwardBackward(logits, labels).grad;
    for (const each of data) expectSame(each, expected);

    const bits = new Uint16Array(3 * valuesOfTurn).fill(0x3c00);
    for (let i = 0; i < bits.length; i += 997) bits[i] = 0x3c00 + (i % 64);
    const half = { data: bits, shape: [bits.length / numClasses, numClasses] };
    const tensor = { ...half, dtype: 'float16' as const };
    const target = { ...tensor, data: new Uint16Array(bits.length) };
    const few = new Int32Array(tensor.shape[0]!).fill(3);
    await criterion.forwardBackwardAsync(tensor, few, { grad: target });
    expectSame(target.data, criterion.forwardBackward(tensor, few).grad.data);
  });

  test('is that of its call when the call ends, also where the next one has the same grad', async () => {
    const first = problem(valuesOfTurn + stride);
    const second = problem(valuesOfTurn + stride, 2);
    const grad = unwritten(first.logits.length);
    const seen: Float32Array[] = [];
    const calls = [first, second].map(async ({ logits, labels }) => {
      await criterion.forwardBackwardAsync(logits, labels, { grad });
      seen.push(grad.slice());
    });
    await Promise.all(calls);
    [first, second].forEach(({ logits, labels }, i) => {
      expectSame(seen[i]!, criterion.forwardBackward(logits, labels).grad);
    });
  });

  test('that is transferred away half way is reported, and calls after it are served', async () => {
    const { logits, labels } = problem(2 * valuesOfTurn);
    const grad = unwritten(logits.length);
    const lost = criterion.forwardBackwardAsync(logits, labels, { grad });
    const next = criterion.forwardBackwardAsync(logits, labels, { grad: logits.slice() });
    const rejected = expect(lost).rejects.toMatchObject({ code: 'EFL_GRAD_DETACHED' });
    while (Number.isNaN(grad[0])) await new Promise((resolve) => setImmediate(resolve));
    expect(grad.at(-1)).toBeNaN();
    structuredClone(grad.buffer, { transfer: [grad.buffer as ArrayBuffer] });
    await rejected;
    expectSame((await next).grad, criterion.forwardBackward(logits, labels).grad);
  });
});
