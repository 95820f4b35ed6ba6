/** Copies to a device from arguments of every kind, whose reading disposes, detaches and throws. */
import fc from 'fast-check';
import { CudaStream, CudaTensor, EflError } from '../../lib';
import { expectSame } from '../reference/compare';
import { wrong } from '../reference/harness';
import { check } from '../properties/support';
import { describeOnDevice } from './emulated';

class Theirs extends Error {}

const COUNT = 4;

const acts = fc.constantFrom('nothing', 'detach', 'dispose', 'disposeSource', 'close', 'throw');

/** What happens when a part of the arguments is read. */
const readings = fc.record({
  data: acts,
  shape: acts,
  size: acts,
  dtype: acts,
  stream: acts,
  optionShape: acts,
  isBare: fc.boolean(),
  fromDevice: fc.boolean(),
  dtypeGiven: fc.constantFrom<unknown>(undefined, 'float32', 'int32', 'float16'),
  sizeGiven: fc.constantFrom<unknown>(COUNT, COUNT, COUNT, 0, 1, 2 ** 52, -1, '4'),
});
type Readings = typeof readings extends fc.Arbitrary<infer T> ? T : never;

function argumentsOf(given: Readings) {
  const values = Float32Array.of(1, 2, 3, 4);
  const [target, other] = [values, values].map((each) => CudaTensor.fromHost(each));
  const stream = new CudaStream();
  const happen: Record<string, () => void> = {
    detach() {
      if (values.length > 0) structuredClone(values.buffer, { transfer: [values.buffer] });
    },
    dispose() {
      target!.dispose();
    },
    disposeSource() {
      other!.dispose();
    },
    close() {
      stream.dispose();
    },
    throw() {
      throw new Theirs();
    },
  };
  const read = <T>(act: string, value: T): T => {
    happen[act]?.();
    return value;
  };
  const sizes = Object.defineProperty([0], 0, { get: () => read(given.size, given.sizeGiven) });
  const tensor = {
    get data(): Float32Array {
      return read(given.data, values);
    },
    get shape(): unknown {
      return read(given.shape, sizes);
    },
    get dtype(): unknown {
      return read(given.dtype, given.dtypeGiven);
    },
  };
  const options = {
    get stream(): CudaStream {
      return read(given.stream, stream);
    },
  };
  const withShape = Object.defineProperty(Object.create(options) as object, 'shape', {
    get: () => read(given.optionShape, sizes),
  });
  const host = given.isBare ? values : tensor;
  return { target: target!, source: given.fromDevice ? other! : host, host, options, withShape };
}

/** What it returns where it does not throw an error of ours, or of the getters. */
function resultOf(call: () => CudaTensor): CudaTensor | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof EflError || error instanceof Theirs) return undefined;
    throw error;
  }
}

describeOnDevice('arguments of every kind are copied, or refused,', () => {
  const expected = Float32Array.of(1, 2, 3, 4);

  test('by copyFrom', () => {
    check(
      fc.property(readings, (given) => {
        const { target, source, options } = argumentsOf(given);
        const result = resultOf(() => target.copyFrom(wrong(source), options));
        if (result) expectSame('values', result.toHost().data, expected);
      }),
      600,
    );
  });

  test('by fromHost', () => {
    check(
      fc.property(readings, (given) => {
        const { host, withShape } = argumentsOf(given);
        const result = resultOf(() => CudaTensor.fromHost(wrong(host), withShape));
        if (result) expectSame('values', result.toHost().data, expected);
      }),
      600,
    );
  });
});
