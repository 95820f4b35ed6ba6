import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizationLossV2, EqualizedFocalLoss } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import {
  expectRefused,
  expectSameState,
  makeSample,
  stateOf,
  thrownBy,
  wrong,
} from '../reference/harness';
import {
  encodeSafetensors,
  float32Bytes,
  float64Bytes,
  parseSafetensors,
  readFloat64,
} from '../reference/safetensors';

const NAMES = ['pos_grad', 'neg_grad', 'pos_neg'] as const;
const CLASSES = 3;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'efl-state-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function fileNamed(name: string): string {
  return path.join(folder, name);
}

function trained(): EqualizedFocalLoss {
  const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
  for (let step = 0; step < 4; step += 1) {
    const { logits, labels } = makeSample(141 + step, 30, CLASSES);
    criterion.forwardBackward(logits, labels);
  }
  return criterion;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}

/** The entries of a right file of this many classes; `change` makes it a wrong one. */
function header(
  change: (entries: Record<string, Entry>) => void = () => undefined,
  { dtype = 'F64', size = 8, classes = CLASSES } = {},
): Record<string, Entry> {
  const bytes = size * classes;
  const entries = Object.fromEntries(
    NAMES.map((name, i) => [
      name,
      { dtype, shape: [classes], data_offsets: [i * bytes, (i + 1) * bytes] },
    ]),
  );
  change(entries);
  return entries;
}

const VALUES = [0.5, 1, 2, 1, 4, 2, 0.5, 0.25, 1];

function write(name: string, content: Buffer): string {
  const file = fileNamed(name);
  writeFileSync(file, content);
  return file;
}

/** Loads a file that must be refused and checks that nothing has changed. */
function expectRefusedFile(content: Buffer, name = 'state.safetensors'): void {
  const file = write(name, content);
  const criterion = trained();
  const before = stateOf(criterion);
  expectRefused(() => {
    criterion.loadState(file);
  }, 'path');
  expectSameState(stateOf(criterion), before);
}

describe('saveState and loadState', () => {
  test('bring the state back bit for bit, steps included', () => {
    const source = trained();
    const target = new EqualizedFocalLoss({ numClasses: CLASSES });
    source.saveState(fileNamed('a.safetensors'));
    target.loadState(fileNamed('a.safetensors'));
    expectSameState(stateOf(target), stateOf(source));
    expect(target.statistics.steps).toBe(4);
  });

  test('bring a state of 1203 classes with extreme values back', () => {
    const sums = Float64Array.from({ length: 1203 }, (_, j) => 2 ** (j - 600) / 3);
    const source = new EqualizedFocalLoss({ numClasses: 1203 });
    const ratios = new Float64Array(1203).fill(1 / 3);
    source.loadStateDict({ pos_grad: sums, neg_grad: sums, pos_neg: ratios, steps: 2 ** 40 });
    source.saveState(fileNamed('big'));
    const target = new EqualizedFocalLoss({ numClasses: 1203 });
    target.loadState(fileNamed('big'));
    expectSameState(stateOf(target), stateOf(source));
  });

  test('replace a file that is there', () => {
    const file = write('old', Buffer.from('something else'));
    const source = trained();
    source.saveState(file);
    const target = new EqualizedFocalLoss({ numClasses: CLASSES });
    target.loadState(file);
    expectSameState(stateOf(target), stateOf(source));
  });

  test('leave no temporary file behind', () => {
    const source = trained();
    source.saveState(fileNamed('only.safetensors'));
    source.saveState(fileNamed('only.safetensors'));
    expect(readdirSync(folder)).toEqual(['only.safetensors']);
  });

  test('leave neither file nor state changed when saving fails', () => {
    const source = trained();
    const before = stateOf(source);
    mkdirSync(fileNamed('directory'));
    for (const target of ['directory', path.join('missing', 'file')]) {
      expect(
        thrownBy(() => {
          source.saveState(fileNamed(target));
        }),
      ).toBeInstanceOf(Error);
    }
    expect(readdirSync(folder)).toEqual(['directory']);
    expect(readdirSync(fileNamed('directory'))).toEqual([]);
    expectSameState(stateOf(source), before);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a number', 3],
    ['an empty text', ''],
    ['an object', {}],
  ])('refuse %s as path', (_, file) => {
    const criterion = trained();
    expectRefused(() => {
      criterion.saveState(wrong(file));
    }, 'path');
    expectRefused(() => {
      criterion.loadState(wrong(file));
    }, 'path');
  });
});

describe('the saved file', () => {
  test('is laid out as the safetensors specification says', () => {
    const source = trained();
    source.saveState(fileNamed('s'));
    const file = parseSafetensors(readFileSync(fileNamed('s')));
    expect(Object.keys(file.tensors).sort()).toEqual([...NAMES].sort());
    for (const name of NAMES) {
      expect(file.tensors[name]).toMatchObject({ dtype: 'F64', shape: [CLASSES] });
      expectSame(name, readFloat64(file, name), source.stateDict()[name]);
    }
    expect(file.headerLength % 8).toBe(0);
    expect(Object.values(file.metadata)).toContain('4');
  });

  test('has the same bytes for the same state', () => {
    const source = trained();
    source.saveState(fileNamed('a'));
    source.saveState(fileNamed('b'));
    expect(readFileSync(fileNamed('a')).equals(readFileSync(fileNamed('b')))).toBe(true);
  });
});

describe('a file of another loss', () => {
  test('is refused, and the state stays', () => {
    trained().saveState(fileNamed('s'));
    const other = new EqualizationLossV2({ numClasses: CLASSES });
    expect(() => {
      other.loadState(fileNamed('s'));
    }).toThrow(/path: .*another loss/);
    expect(other.statistics.steps).toBe(0);
  });
});

describe('a file from elsewhere', () => {
  test('of float64 tensors without metadata is taken, with 0 steps', () => {
    const criterion = trained();
    criterion.loadState(write('plain', encodeSafetensors(header(), float64Bytes(VALUES))));
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
    expectSame('negative', criterion.statistics.negative, VALUES.slice(3, 6));
    expectClose('ratio', criterion.gradientRatio, VALUES.slice(6), { relative: 1e-9 });
    expect(criterion.statistics.steps).toBe(0);
  });

  test('of float32 tensors is taken', () => {
    const criterion = trained();
    const entries = header(undefined, { dtype: 'F32', size: 4 });
    criterion.loadState(write('single', encodeSafetensors(entries, float32Bytes(VALUES))));
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
    expectSame('negative', criterion.statistics.negative, VALUES.slice(3, 6));
    expectClose('ratio', criterion.gradientRatio, VALUES.slice(6), { relative: 1e-6 });
  });

  test('may have its tensors in any order and foreign metadata', () => {
    const criterion = trained();
    const { pos_grad, neg_grad, pos_neg } = header();
    const reordered = {
      pos_neg: { ...pos_neg, data_offsets: [0, 24] },
      __metadata__: { format: 'pt' },
      neg_grad: { ...neg_grad, data_offsets: [24, 48] },
      pos_grad: { ...pos_grad, data_offsets: [48, 72] },
    };
    const values = [...VALUES.slice(6), ...VALUES.slice(3, 6), ...VALUES.slice(0, 3)];
    criterion.loadState(write('order', encodeSafetensors(reordered, float64Bytes(values))));
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
    expectSame('negative', criterion.statistics.negative, VALUES.slice(3, 6));
  });

  test('may have its header padded with spaces', () => {
    const criterion = trained();
    const padded = `${JSON.stringify(header())}     `;
    criterion.loadState(write('padded', encodeSafetensors(padded, float64Bytes(VALUES))));
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
  });
});

describe('a malformed file is refused and leaves the state untouched:', () => {
  const data = float64Bytes(VALUES);

  test('a saved file cut off at any byte', () => {
    const source = trained();
    const before = stateOf(source);
    source.saveState(fileNamed('whole'));
    const whole = readFileSync(fileNamed('whole'));
    expect(whole.length).toBeGreaterThan(80);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = write('cut', whole.subarray(0, length));
      expectRefused(() => {
        source.loadState(cut);
      }, 'path');
    }
    expectSameState(stateOf(source), before);
  });

  test('a saved file with a byte more', () => {
    trained().saveState(fileNamed('whole'));
    const whole = readFileSync(fileNamed('whole'));
    expectRefusedFile(Buffer.concat([whole, Buffer.alloc(1)]));
  });

  test('a missing file', () => {
    const criterion = trained();
    expectRefused(() => {
      criterion.loadState(fileNamed('missing'));
    }, 'path');
  });

  test('a directory', () => {
    const criterion = trained();
    expectRefused(() => {
      criterion.loadState(folder);
    }, 'path');
  });

  test.each<[string, Buffer]>([
    ['text', Buffer.from('not a tensor file at all')],
    ['zeros', Buffer.alloc(200)],
    ['bytes of all ones', Buffer.alloc(200, 0xff)],
    ['a zip archive as PyTorch writes', Buffer.from('PK\x03\x04'.padEnd(300, '\0'), 'latin1')],
    ['only the header length', encodeSafetensors('', Buffer.alloc(0))],
    ['a header that is no JSON', encodeSafetensors('{"pos_grad": ', data)],
    ['a header that is a list', encodeSafetensors([], data)],
    ['a header that is null', encodeSafetensors('null', data)],
    ['a header that is a number', encodeSafetensors('17', data)],
    ['an empty header', encodeSafetensors({}, Buffer.alloc(0))],
    ['broken UTF-8', encodeSafetensors('{"\ud800": 1}', data)],
  ])('%s', (_, content) => {
    expectRefusedFile(content);
  });

  test.each<[string, unknown]>([
    [
      'tensors of other names',
      Object.fromEntries(
        Object.entries(header()).map(([name, entry]) => [`module.${name}`, entry]),
      ),
    ],
    ['entries that are null', { pos_grad: null, neg_grad: null, pos_neg: null }],
    ['entries that are texts', { pos_grad: 'F64', neg_grad: 'F64', pos_neg: 'F64' }],
    ['metadata that are no texts', { ...header(), __metadata__: { steps: 4 } }],
    ['metadata that are a text', { ...header(), __metadata__: 'steps' }],
    ['metadata that are a list', { ...header(), __metadata__: ['4'] }],
    ['steps that are no number', { ...header(), __metadata__: { steps: 'many' } }],
    ['negative steps', { ...header(), __metadata__: { steps: '-3' } }],
  ])('%s', (_, entries) => {
    expectRefusedFile(encodeSafetensors(entries, data));
  });

  test.each<[string, (entries: Record<string, Entry>) => void]>([
    [
      'a tensor missing',
      (entries) => {
        Reflect.deleteProperty(entries, 'pos_neg');
      },
    ],
    [
      'an integer dtype',
      (entries) => {
        entries['pos_grad']!.dtype = 'I64';
      },
    ],
    [
      'a dtype of another size',
      (entries) => {
        entries['pos_grad']!.dtype = 'F32';
      },
    ],
    [
      'an unknown dtype',
      (entries) => {
        entries['neg_grad']!.dtype = 'float64';
      },
    ],
    [
      'a dtype that is no text',
      (entries) => {
        entries['neg_grad']!.dtype = wrong(64);
      },
    ],
    [
      'a shape of another size',
      (entries) => {
        entries['pos_grad']!.shape = [CLASSES + 1];
      },
    ],
    [
      'a shape of two dimensions',
      (entries) => {
        entries['pos_grad']!.shape = [1, CLASSES];
      },
    ],
    [
      'a scalar shape',
      (entries) => {
        entries['pos_grad']!.shape = [];
      },
    ],
    [
      'a shape with a negative size',
      (entries) => {
        entries['pos_grad']!.shape = [-1, -CLASSES];
      },
    ],
    [
      'a shape that is no list',
      (entries) => {
        entries['pos_grad']!.shape = wrong(CLASSES);
      },
    ],
    [
      'a hole between tensors',
      (entries) => {
        entries['neg_grad']!.data_offsets = [32, 56];
      },
    ],
    [
      'an overlap of tensors',
      (entries) => {
        entries['neg_grad']!.data_offsets = [0, 24];
      },
    ],
    [
      'a range off by one',
      (entries) => {
        entries['neg_grad']!.data_offsets = [25, 49];
      },
    ],
    [
      'a range beyond the file',
      (entries) => {
        entries['pos_neg']!.data_offsets = [48, 80];
      },
    ],
    [
      'a range the wrong way round',
      (entries) => {
        entries['neg_grad']!.data_offsets = [48, 24];
      },
    ],
    [
      'a negative range',
      (entries) => {
        entries['pos_grad']!.data_offsets = [-24, 0];
      },
    ],
    [
      'a broken range',
      (entries) => {
        entries['pos_grad']!.data_offsets = [0.5, 24.5];
      },
    ],
    [
      'a range of one number',
      (entries) => {
        entries['pos_grad']!.data_offsets = [0];
      },
    ],
    [
      'a range beyond the safe integers',
      (entries) => {
        entries['pos_grad']!.data_offsets = [0, 2 ** 60];
      },
    ],
  ])('%s', (_, change) => {
    expectRefusedFile(encodeSafetensors(header(change), data));
  });

  test.each([2, 4])('%d classes in place of 3', (classes) => {
    const entries = header(undefined, { classes });
    expectRefusedFile(
      encodeSafetensors(entries, float64Bytes(new Float64Array(3 * classes).fill(0.5))),
    );
  });

  test('half precision', () => {
    const entries = header(undefined, { dtype: 'F16', size: 2 });
    expectRefusedFile(encodeSafetensors(entries, Buffer.alloc(18)));
  });

  test.each<[string, number, number]>([
    ['a positive sum of NaN', 0, NaN],
    ['a negative sum of NaN', 4, NaN],
    ['a ratio of NaN', 8, NaN],
    ['a sum below 0', 2, -1e-300],
    ['a ratio below 0', 6, -0.1],
    ['a ratio above 1', 7, 1.5],
    ['an infinite sum', 3, Infinity],
  ])('%s', (_, at, value) => {
    const values = VALUES.map((right, i) => (i === at ? value : right));
    expectRefusedFile(encodeSafetensors(header(), float64Bytes(values)));
  });

  test.each([
    ['longer than the file', 10n ** 6n],
    ['longer than a number holds', 2n ** 63n],
    ['of all ones', 2n ** 64n - 1n],
  ])('a header length %s', (_, length) => {
    const content = encodeSafetensors(header(), data);
    content.writeBigUInt64LE(length);
    expectRefusedFile(content);
  });
});
