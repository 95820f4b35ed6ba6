import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
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

describe('what is written', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is on the disk before it gets its name, and the name before saveState returns', () => {
    const calls: string[] = [];
    const open = jest.spyOn(fs, 'openSync');
    const rename = jest.spyOn(fs, 'renameSync');
    jest.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      const opened = open.mock.results.map(({ value }) => value as unknown).lastIndexOf(descriptor);
      const renamed = rename.mock.calls.length > 0 ? 'after' : 'before';
      calls.push(`${String(open.mock.calls[opened]?.[0])} ${renamed} the rename`);
    });
    trained().saveState(fileNamed('s'));
    const [temporary] = rename.mock.calls[0]!;
    expect(calls).toEqual([`${String(temporary)} before the rename`, `${folder} after the rename`]);
  });

  const failing = (code: string) => (): never => {
    throw Object.assign(new Error(`${code}: as the system says`), { code });
  };

  test('is refused, and the file stays, where the directory cannot be opened to make it last', () => {
    writeFileSync(fileNamed('s'), 'as it was');
    const open = fs.openSync;
    jest
      .spyOn(fs, 'openSync')
      .mockImplementation((file, ...more) =>
        file === folder ? failing('EMFILE')() : open(file, ...more),
      );
    const error = expectRefused(() => {
      trained().saveState(fileNamed('s'));
    }, 'path');
    expect(error.received).toContain('EMFILE');
    expect(readFileSync(fileNamed('s'), 'utf8')).toBe('as it was');
    expect(readdirSync(folder)).toEqual(['s']);
  });

  test('is said to be in place where only the directory cannot be synchronized', () => {
    const sync = fs.fsyncSync;
    jest.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      if (fs.fstatSync(descriptor).isDirectory()) failing('EIO')();
      sync(descriptor);
    });
    const error = expectRefused(() => {
      trained().saveState(fileNamed('s'));
    }, 'path');
    expect(error.received).toMatch(/^the new file is in place, but may not outlast .*EIO/);
    new EqualizedFocalLoss({ numClasses: CLASSES }).loadState(fileNamed('s'));
  });

  test('is not for another group where that of the file cannot be kept', () => {
    writeFileSync(fileNamed('s'), '');
    fs.chmodSync(fileNamed('s'), 0o664);
    jest.spyOn(fs, 'fchownSync').mockImplementation(failing('EPERM'));
    trained().saveState(fileNamed('s'));
    expect((fs.statSync(fileNamed('s')).mode & 0o777).toString(8)).toBe('604');
  });

  test('is written again where another process has taken the temporary file away', () => {
    const rename = fs.renameSync;
    let tries = 0;
    jest.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      if (++tries < 3) rmSync(from);
      rename(from, to);
    });
    const source = trained();
    source.saveState(fileNamed('s'));
    expect(tries).toBe(3);
    const target = new EqualizedFocalLoss({ numClasses: CLASSES });
    target.loadState(fileNamed('s'));
    expectSameState(stateOf(target), stateOf(source));
    expect(readdirSync(folder)).toEqual(['s']);
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

describe('a file of a size', () => {
  test('beyond 2 GiB is taken, and only the state in it is read', () => {
    const { pos_grad, neg_grad, pos_neg } = header();
    const length = 3 * 2 ** 30;
    const shifted = (entry: Entry): Entry => ({
      ...entry,
      data_offsets: entry.data_offsets.map((offset) => offset + length),
    });
    const entries = {
      weights: { dtype: 'U8', shape: [length], data_offsets: [0, length] },
      pos_grad: shifted(pos_grad!),
      neg_grad: shifted(neg_grad!),
      pos_neg: shifted(pos_neg!),
    };
    const file = write('model', encodeSafetensors(entries, Buffer.alloc(0)));
    const valuesAt = readFileSync(file).length;
    truncateSync(file, valuesAt + length); // a hole, which takes no room on the disk
    fs.appendFileSync(file, float64Bytes(VALUES));
    const criterion = trained();
    criterion.loadState(file);
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
    expectSame('negative', criterion.statistics.negative, VALUES.slice(3, 6));
  });
});

describe('the metadata', () => {
  const data = float64Bytes(VALUES);
  const own = { format: 'equalized-focal-loss', loss: 'focal, equalizedFocal', steps: '4' };
  const fileWith = (metadata: unknown): Buffer =>
    encodeSafetensors({ __metadata__: metadata, ...header() }, data);
  const refusal = (content: Buffer): string => {
    const file = write('s', content);
    return expectRefused(() => {
      trained().loadState(file);
    }, 'path').received;
  };

  test('of a saved file, as here, are taken', () => {
    const criterion = trained();
    criterion.loadState(write('s', fileWith({ ...own, steps: '9007199254740991' })));
    expect(criterion.statistics.steps).toBe(2 ** 53 - 1);
  });

  test('with any byte damaged, but for the digits of the steps, are refused', () => {
    trained().saveState(fileNamed('whole'));
    const whole = readFileSync(fileNamed('whole'));
    const begin = whole.indexOf('"__metadata__"');
    const end = whole.indexOf('"pos_grad"');
    const digit = whole.indexOf('"steps":"4"') + '"steps":"'.length;
    expect([begin > 0, end > begin, digit > begin]).toEqual([true, true, true]);
    for (let at = begin; at < end; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = whole[at]! ^ 1;
      if (at !== digit) expectRefusedFile(damaged);
    }
  });

  test.each(['', '1e3', '0x10', ' 7 ', '7 ', '+7', '-7', '7.0', '007', '٧', '9007199254740992'])(
    'with the steps %j are refused, whatever else there is',
    (steps) => {
      expect(refusal(fileWith({ ...own, steps }))).toContain('metadata with steps');
      expect(refusal(fileWith({ steps }))).toContain('metadata with steps');
    },
  );

  test.each([
    ['loss', { ...own, loss: undefined }, 'metadata without loss'],
    ['steps', { ...own, steps: undefined }, 'metadata without steps'],
    ['format', { ...own, format: undefined }, "metadata with format ''"],
    ['right format', { ...own, format: 'equalized-focal-los' }, 'metadata with format'],
  ])('without a %s where the rest is ours are refused', (_, metadata, problem) => {
    expect(refusal(fileWith(metadata))).toContain(problem);
  });

  test.each([
    ['null', null],
    ['of a file of PyTorch', { format: 'pt', epoch: '12' }],
  ])('that are %s are no hindrance', (_, metadata) => {
    const criterion = trained();
    criterion.loadState(write('s', fileWith(metadata)));
    expect(criterion.statistics.steps).toBe(0);
  });

  test('cannot write to a terminal through an error', () => {
    const problem = refusal(fileWith({ ...own, loss: '\u001b[2J\u009b\u202e' }));
    expect(problem).toContain("'\\u{1b}[2J\\u{9b}\\u{202e}'");
  });
});

describe('ratios', () => {
  const load = (values: ArrayLike<number>, size = 8): EqualizedFocalLoss => {
    const criterion = new EqualizedFocalLoss({ numClasses: CLASSES });
    const entries = header(undefined, size === 8 ? {} : { dtype: 'F32', size });
    const bytes = size === 8 ? float64Bytes(values) : float32Bytes(values);
    criterion.loadState(write('ratios', encodeSafetensors(entries, bytes)));
    return criterion;
  };

  test.each([
    ['too high', [1, 1, 1, 2, 4, 1, 0.5, 0.2501, 1], 'class 1'],
    ['too low', [1, 1, 1, 2, 4, 1, 0.5, 0.25, 0.999], 'class 2'],
    ['that of no step where there has been one', [0, 1, 1, 2, 4, 1, 1, 0.25, 1], 'class 0'],
  ])('that the sums contradict are refused: %s', (_, values, problem) => {
    expect(
      expectRefused(() => {
        load(values);
      }, 'path').received,
    ).toContain(problem);
  });

  test('of classes that nothing has been seen of are 1 before the first step and 0 after it', () => {
    const criterion = load([0, 0, 1, 0, 0, 1, 1, 0, 1]);
    expectSame('ratio', criterion.gradientRatio, [1, 0, 1]);
  });

  test('of the initial value of Equalization Loss v2 are taken by it', () => {
    const source = new EqualizationLossV2({ numClasses: CLASSES });
    source.saveState(fileNamed('v2'));
    const target = new EqualizationLossV2({ numClasses: CLASSES });
    target.loadState(fileNamed('v2'));
    expectSame('ratio', target.gradientRatio, [100, 100, 100]);
  });

  test('that were computed or rounded in float32 are taken', () => {
    const positive = [1 / 3, 1e-20, 7e-41];
    const negative = [0.7, 3e-11, 1e-44];
    const single = Math.fround;
    const computed = positive.map((sum, j) =>
      single(single(sum) / single(single(negative[j]!) + single(1e-10))),
    );
    const rounded = positive.map((sum, j) => single(sum / (negative[j]! + 1e-10)));
    for (const ratio of [computed, rounded]) load([...positive, ...negative, ...ratio], 4);
  });

  test('that a state dict has given are saved and loaded as they are', () => {
    const source = new EqualizedFocalLoss({ numClasses: CLASSES });
    source.loadStateDict({ pos_grad: [1, 2, 3], neg_grad: [0, 0, 0], pos_neg: [0.1, 0.2, 0.3] });
    source.saveState(fileNamed('given'));
    const target = trained();
    target.loadState(fileNamed('given'));
    expectSameState(stateOf(target), stateOf(source));
  });
});

describe('the checkpoint of a model', () => {
  const prefix = 'head.cls_loss.';
  const model = (): Buffer => {
    const bias = { dtype: 'F16', shape: [2, 2], data_offsets: [0, 8] };
    const named = Object.entries(header()).map(([name, { dtype, shape, data_offsets }]) => [
      prefix + name,
      { dtype, shape, data_offsets: data_offsets.map((at) => at + 8) },
    ]);
    const entries: unknown = {
      // What a trainer writes of itself is not about the loss.
      __metadata__: { format: 'pt', loss: '0.31', steps: '1e5' },
      'head.bias': bias,
      ...Object.fromEntries(named),
    };
    return encodeSafetensors(entries, Buffer.concat([Buffer.alloc(8), float64Bytes(VALUES)]));
  };

  test('gives its state with a prefix', () => {
    const criterion = trained();
    criterion.loadState(write('model', model()), { prefix });
    expectSame('positive', criterion.statistics.positive, VALUES.slice(0, 3));
    expectSame('negative', criterion.statistics.negative, VALUES.slice(3, 6));
    expect(criterion.statistics.steps).toBe(0);
  });

  test.each([undefined, 'head.'])('with the prefix %j says which vectors there are', (wrongOne) => {
    const criterion = trained();
    const before = stateOf(criterion);
    const metadataLeftOut = model().toString('latin1').replace('"1e5"', '"100"');
    const { received } = expectRefused(() => {
      const file = write('model', Buffer.from(metadataLeftOut, 'latin1'));
      criterion.loadState(file, { prefix: wrongOne });
    }, 'path');
    expect(received).toMatch(/^no vector (head\.)?pos_grad of F64 or F32/);
    const listed = NAMES.map((name) => prefix + name).join(', ');
    expect(received).toContain(`there is ${listed}: give the option prefix, '${prefix}'`);
    expectSameState(stateOf(criterion), before);
  });

  test('says of a vector of another type what it is', () => {
    const entries = header(undefined, { dtype: 'BF16', size: 2 });
    const file = write('bf16', encodeSafetensors(entries, Buffer.alloc(18)));
    const { received } = expectRefused(() => {
      trained().loadState(file);
    }, 'path');
    expect(received).toContain('pos_grad is BF16 of shape [3], not a vector of F64 or F32');
  });

  test.each<[string, unknown, string]>([
    ['a number as prefix', { prefix: 3 }, 'prefix'],
    ['an option that is unknown', { Prefix: 'a.' }, 'Prefix'],
    ['a text in place of options', 'a.', 'options'],
  ])('is not looked at with %s', (_, options, argument) => {
    const criterion = trained();
    expectRefused(() => {
      criterion.loadState(fileNamed('none'), wrong(options));
    }, argument);
    expectRefused(() => {
      criterion.loadStateDict(criterion.stateDict(), wrong(options));
    }, argument);
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
