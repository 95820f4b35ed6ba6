import { runFixture } from './tensorflow';

interface FastGradients {
  readonly products: number;
  readonly batches: number;
  readonly convolutions: number;
  readonly edges: number;
  readonly trainsConvolutions: readonly boolean[];
  readonly leaks: readonly number[];
  readonly sameRestorer: boolean;
  readonly restored: boolean;
  readonly enabledAgain: boolean;
  readonly registrations: number;
}

let result: FastGradients;
beforeAll(async () => {
  result = (await runFixture<FastGradients>('fast-gradients')).result;
}, 60_000);

test.each(['products', 'batches', 'convolutions'] as const)(
  'random %s have the gradients of the cpu backend',
  (kind) => {
    expect(result[kind]).toBeLessThan(2e-5);
  },
);

test('products and convolutions of nothing, and strides wider than the image, have them, too', () => {
  expect(result.edges).toBeLessThan(2e-5);
});

test('convolutions can be trained only with it', () => {
  expect(result.trainsConvolutions).toEqual([false, true]);
});

test('no tensor is left over', () => {
  expect(result.leaks).toEqual([0, 0]);
});

test('enabling it twice, or again after it was disabled, is harmless and silent', () => {
  expect(result.sameRestorer).toBe(true);
  expect(result.enabledAgain).toBe(true);
  expect(result.registrations).toBe(0);
});

test('disabling it, even twice, puts the stock kernels back', () => {
  expect(result.restored).toBe(true);
});
