import {
  EflArgumentError,
  EqualizedFocalLoss,
  FocalLoss,
  RepeatFactorSampler,
  effectiveNumberWeights,
  federatedClasses,
  repeatFactors,
  weightsByLabel,
} from '../../lib';
import { expectRefused, wrong } from '../reference/harness';

const logits = Float32Array.from([1, -2, 0.5, 3, -1, 0.25]);
const labels = [1, 0, 2];

/** An object that has itself for its prototype. */
function endless(target: object = {}): object {
  const proxy: object = new Proxy(target, { getPrototypeOf: () => proxy });
  return proxy;
}

test('an argument may have prototypes without end', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  const tensor = endless({ data: logits, shape: [3, 2] });
  expect(criterion.forward(wrong(tensor), wrong(endless(labels))).positives).toBe(2);
  expectRefused(() => {
    criterion.mergeStatistics(wrong(endless()));
  }, /./);
  expectRefused(() => {
    criterion.mergeStatistics(wrong(Object.create(EqualizedFocalLoss.prototype)));
  }, /./);
});

describe('options', () => {
  test('that are inherited count', () => {
    const inherited = Object.create(
      { gamma: 5 },
      {
        numClasses: { value: 2, enumerable: true },
      },
    ) as { numClasses: number };
    expect(new FocalLoss(inherited).options.gamma).toBe(5);
  });

  test('of a getter of a class count, in every kind of call', async () => {
    class Call {
      get collect(): boolean {
        return false;
      }
    }
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    criterion.forwardBackward(logits, labels, new Call());
    await criterion.forwardBackwardAsync(logits, labels, new Call());
    expect(criterion.statistics.steps).toBe(0);
  });

  test('of an instance of a class are its fields, and not its methods', () => {
    class Options {
      numClasses = 2;
      gamma = 3;
      describe(): string {
        return `gamma ${this.gamma}`;
      }
    }
    class Derived extends Options {
      override gamma = 4;
    }
    expect(new FocalLoss(new Options()).options.gamma).toBe(3);
    expect(new FocalLoss(new Derived()).options.gamma).toBe(4);
  });

  test('that are not enumerable count', () => {
    const options = Object.defineProperty({ numClasses: 2 }, 'gamma', { value: 4 });
    expect(new FocalLoss(options).options.gamma).toBe(4);
  });

  test('may have no prototype', () => {
    const bare = Object.assign(Object.create(null) as object, { numClasses: 2, gamma: 4 });
    expect(new FocalLoss(bare).options.gamma).toBe(4);
  });

  test('of a name that is not known are refused, inherited ones and getters too', () => {
    const inherited = Object.create({ gama: 5 }) as object;
    expectRefused(() => new FocalLoss(wrong(Object.assign(inherited, { numClasses: 2 }))), 'gama');
    class Call {
      get colect(): boolean {
        return false;
      }
    }
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    expectRefused(() => criterion.forwardBackward(logits, labels, wrong(new Call())), 'colect');
    expectRefused(() => repeatFactors([[1]], wrong(Object.create({ treshold: 1 }))), 'treshold');
  });

  test('may be inherited from a few classes, and not from classes without end', () => {
    let inherited: object = { numClasses: 2, gamma: 4 };
    for (let depth = 0; depth < 50; depth++) inherited = Object.create(inherited) as object;
    expect(new FocalLoss(wrong(inherited)).options.gamma).toBe(4);
    expectRefused(() => new FocalLoss(wrong(endless())), 'options');
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    expectRefused(() => criterion.forward(logits, labels, wrong(endless())), 'call');
  });

  test('that every object has are none', () => {
    Object.defineProperty(Object.prototype, 'gamma', { value: 5, configurable: true });
    try {
      expect(new FocalLoss({ numClasses: 2 }).options.gamma).toBe(2);
      expect(new FocalLoss({ numClasses: 2, gamma: 3 }).options.gamma).toBe(3);
    } finally {
      delete (Object.prototype as { gamma?: number }).gamma;
    }
  });

  test('are read once each', () => {
    const reads: string[] = [];
    const counting = new Proxy(
      { numClasses: 2, gamma: 3, alpha: 0.5 },
      {
        get(target, name): unknown {
          reads.push(String(name));
          return Reflect.get(target, name);
        },
      },
    );
    expect(new FocalLoss(counting).options).toMatchObject({ gamma: 3, alpha: 0.5 });
    expect(reads.sort()).toEqual(['alpha', 'gamma', 'numClasses']);
  });

  test('whose getter throws let its error through as it is', async () => {
    const mine = new Error('mine');
    const call = {
      get collect(): boolean {
        throw mine;
      },
    };
    const criterion = new EqualizedFocalLoss({ numClasses: 2 });
    expect(() => criterion.forwardBackward(logits, labels, call)).toThrow(mine);
    await expect(criterion.forwardBackwardAsync(logits, labels, call)).rejects.toBe(mine);
    expect(criterion.statistics.steps).toBe(0);
  });
});

describe('the properties of a criterion', () => {
  test.each(['options', 'definition'])('cannot be assigned: %s', (name) => {
    const criterion = new FocalLoss({ numClasses: 2 });
    const before = criterion.forward(logits, labels).loss;
    expect(() => Object.assign(criterion, { [name]: { numClasses: 1, columns: 1 } })).toThrow(
      TypeError,
    );
    expect(() => Object.defineProperty(criterion, name, { value: {} })).toThrow(TypeError);
    expect(criterion.forward(logits, labels).loss).toBe(before);
  });

  test('leave room for those of a class of its own', () => {
    class Named extends FocalLoss {
      readonly title = 'mine';
    }
    expect(new Named({ numClasses: 2 }).title).toBe('mine');
  });
});

test('a list of holes that is too long to be gone through is refused at once', () => {
  const holes = new Array<number>(2 ** 32 - 1);
  const criterion = new FocalLoss({ numClasses: 2 });
  const refusals: [() => unknown, RegExp][] = [
    [() => new FocalLoss({ numClasses: 2, classWeight: holes }), /^classWeight$/],
    [() => new FocalLoss({ numClasses: 2, ignoreIndex: holes }), /^ignoreIndex$/],
    [() => new RepeatFactorSampler({ repeatFactors: holes }), /^repeatFactors/],
    [() => repeatFactors(wrong(holes)), /^imageClasses/],
    [() => repeatFactors([holes]), /^imageClasses/],
    [() => weightsByLabel(holes, [1, 1]), /^labels/],
    [() => weightsByLabel([0, 1], holes), /^classWeights/],
    [() => federatedClasses([0, 1], { counts: holes }), /^counts/],
    [() => effectiveNumberWeights(holes, { beta: 0.9 }), /^counts/],
    [() => criterion.forward(wrong(holes), labels), /^logits/],
    [() => criterion.forward({ data: logits, shape: holes }, labels), /^logits.shape$/],
    [() => criterion.forward(logits, holes), /^labels$/],
  ];
  for (const [call, argument] of refusals) expectRefused(call, argument);
});

test('an argument that throws when it is described is refused all the same', () => {
  const criterion = new FocalLoss({ numClasses: 2 });
  const nasty = new Proxy(
    {},
    {
      get(_, name): unknown {
        if (name === 'constructor') throw new Error('not told');
        return undefined;
      },
    },
  );
  expect(() => criterion.forward(wrong(nasty), labels)).toThrow(EflArgumentError);
  expectRefused(() => new FocalLoss(wrong({ numClasses: nasty })), 'numClasses');
  const symbols = { data: logits, shape: [Symbol('3'), Object.create(null)] };
  expectRefused(() => criterion.forward(wrong(symbols), labels), 'logits.shape');
});
