import { runFixture } from './tensorflow';

interface Pair {
  readonly same: readonly number[];
  readonly as: readonly number[];
}

interface Behaviour {
  readonly results: Readonly<Record<string, Pair>>;
  readonly errors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly large: object;
  readonly reads: object;
  readonly registrations: number;
}

let behaviour: Behaviour;
beforeAll(async () => {
  behaviour = (await runFixture<Behaviour>('behaviour')).result;
}, 60_000);

/** The two lists of a case, on each backend. */
function expectSame(name: string, backends: readonly string[]): void {
  for (const backend of backends) {
    const { same, as } = behaviour.results[`${name}, ${backend}`]!;
    expect(same).toHaveLength(as.length);
    same.forEach((value, i) => {
      const tolerance = backend === 'foreign' ? 2e-6 : 1e-7;
      expect(Math.abs(value - as[i]!)).toBeLessThanOrEqual(
        tolerance * Math.max(1, Math.abs(as[i]!)),
      );
    });
  }
}

const host = ['cpu', 'wasm', 'tensorflow'];
const all = [...host, 'foreign'];

test.each([
  [
    'a factor on the loss is in the gradient and, as its size, in the statistics',
    'an upstream factor',
  ],
  [
    'a loss whose gradient is not taken leaves the state alone',
    'losses whose gradient is not taken',
  ],
  ['collect: false leaves the state alone', 'collect: false'],
  ["collect: 'defer' counts all losses of a step as one", "collect: 'defer'"],
  ['sums decay from step to step', 'losses of a criterion that forgets'],
  ['losses computed before a gradient is taken share one g', 'two losses before a gradient'],
  ['labels may come in a column, [N, 1]', 'labels in a column'],
  [
    'labels may come as maps in a column, and 255 be ignored',
    'labels of a map, in a column, with a label to ignore',
  ],
  ['perSample gives one loss for each row, of the shape of the rows', 'losses of rows'],
  [
    'weights of rows are in gradient and statistics, each in its own row',
    'losses of rows with a weight each',
  ],
  [
    "with 'positives' the mean of the losses of rows is the sum over the positives",
    'the mean of the losses of rows',
  ],
  ['perSample with collect: false leaves the state alone', 'rows and collect: false'],
  ['labels may be made and forgotten within the loss', 'labels that are made inside'],
  ['a batch of ignored rows has no loss and leaves the state alone', 'rows that are all ignored'],
  ['dense targets may be int32 or bool', 'dense targets of int32 and bool'],
  [
    'so they do for a criterion with a constructor of its own',
    'two losses of a criterion with a constructor of its own',
  ],
  ['infinite logits give what they give the criterion by itself', 'infinite logits'],
  ['no gradient flows into targets', 'targets made of the logits'],
  ['labels may come from the logits', 'labels made of the logits'],
])('%s', (_, name) => {
  expectSame(name, all);
});

test.each([
  ['the registered kernel gives what tfLoss gives', 'the kernel by its name'],
  ['so it does with losses of rows', 'the kernel with losses of rows'],
  ['attributes may be shared by several losses', 'the kernel with attributes of two losses'],
  ['no gradient flows into targets of the kernel', 'the kernel by targets made of the logits'],
])('%s', (_, name) => {
  expectSame(name, host);
});

test('registering the kernel again is harmless and silent', () => {
  expect(behaviour.registrations).toBe(0);
});

test('tensors of another backend, and a heap that grows for the gradient, give the same bits', () => {
  expect(behaviour.large).toEqual({ grew: true, differs: 0, sameLoss: true });
});

test('wasm reads the upstream gradient alone; tensorflow reads logits and labels for each pass', () => {
  expect(behaviour.reads).toEqual({ wasm: 1, tensorflow: 5 });
});

const expected: Readonly<Record<string, string>> = {
  'not a criterion': 'criterion',
  "reduction 'none'": 'criterion',
  'losses of rows of a sum': 'criterion',
  'losses of rows that are no truth value': 'perSample',
  'losses of rows over a normalizer of 0': 'normalizer',
  'losses of rows over a text': 'normalizer',
  'a warning that is no truth value': 'warnOfFactor',
  'a misspelt option': 'normaliser',
  'a normalizer of 0': 'normalizer',
  'a normalizer of weights': 'normalizer',
  'a normalizer with the mean': 'normalizer',
  'arrays for tensors': 'labels',
  'logits of int32': 'logits',
  'logits of a number': 'logits.shape',
  'other classes': 'logits.shape',
  'other rows': 'labels.shape',
  'labels of float32': 'labels',
  'labels of strings': 'labels',
  'an unknown class': 'labels[0]',
  'a target above 1': 'targets[0]',
  'labels of a quality loss': 'labels',
  'statistics of a loss that has none': 'criterion',
  'a group without classes': 'groups.rare',
  'a group with a column there is not': 'groups.rare[1]',
  'a state without a path': 'path',
};

test.each([
  'an infinite factor on the loss',
  'an infinite factor on the loss of a row',
  'a factor on the loss that no gradient has room for',
])('%s is refused by name of gradOutput', (name) => {
  for (const backend of all) {
    // What is left are tensors that TensorFlow.js had saved for gradients.
    const error = behaviour.errors[backend]![name];
    expect(`${backend}: ${error}`).toMatch(/: EflArgumentError gradOutput,/);
  }
});

const expectedOfKernels: Readonly<Record<string, string>> = {
  'a kernel without attributes': 'criterion',
  'a kernel without a criterion': 'criterion',
  'a kernel without a sum': 'criterion',
  'a kernel with a misspelt attribute': 'normaliser',
  'a kernel without labels': 'labels',
  'a kernel without logits': 'logits',
  'a kernel with labels of another shape': 'labels.shape',
  'a kernel with targets of integers': 'labels',
};

test.each(Object.entries(expected))('%s is refused by name of %s', (name, argument) => {
  for (const backend of all) {
    const error = behaviour.errors[backend]![name];
    expect(`${backend}: ${error}`).toBe(`${backend}: EflArgumentError ${argument}, 0 tensors left`);
  }
});

test.each(Object.entries(expectedOfKernels))('%s is refused by name of %s', (name, argument) => {
  for (const backend of host) {
    const error = behaviour.errors[backend]![name];
    expect(`${backend}: ${error}`).toBe(`${backend}: EflArgumentError ${argument}, 0 tensors left`);
  }
});
