import { isFloat64Array } from 'node:util/types';
import { EqualizedFocalLoss } from '../../lib';

const numClasses = 3;
const logits = new Float32Array(2 * numClasses);
const labels = Int32Array.of(1, 2);

// The addon keeps the address of the numbers of a call: who had the array could detach its buffer.
describe('the memory that a criterion shares with the addon', () => {
  test('is not to be found on the criterion', () => {
    const seen = new Set<unknown>();
    const look = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) {
        look(property.value);
      }
    };
    const criterion = new EqualizedFocalLoss({ numClasses });
    criterion.forwardBackward(logits, labels);
    look(criterion);
    expect(seen).toContain(criterion.options);
    expect([...seen].filter(isFloat64Array)).toEqual([]);
  });

  test('is handed to no method that somebody may replace', () => {
    const criterion = new EqualizedFocalLoss({ numClasses });
    const given: unknown[] = [];
    const watch = (name: string, method: unknown): void => {
      if (name === 'constructor' || typeof method !== 'function') return;
      const watching = (...args: unknown[]): unknown => {
        given.push(...args);
        return Reflect.apply(method, criterion, args);
      };
      Object.defineProperty(criterion, name, { value: watching });
    };
    let prototype = Object.getPrototypeOf(criterion) as object;
    for (; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype) as object) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (!Object.hasOwn(criterion, name)) watch(name, value);
      }
    }
    criterion.forwardBackward(logits, labels);
    criterion.collectGrad(logits, labels);
    expect(given).toContain(logits);
    expect(given.filter(isFloat64Array)).toEqual([]);
  });
});
