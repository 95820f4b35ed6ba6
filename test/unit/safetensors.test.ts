import { readSafetensors, type SafetensorsFile } from '../../lib/state/safetensors';
import { encodeSafetensors, float64Bytes, sourceOf } from '../reference/safetensors';

function read(header: unknown, data: Buffer): SafetensorsFile {
  return readSafetensors(sourceOf(encodeSafetensors(header, data)));
}

/** The text of an entry of two bytes, with parts replaced. */
const entry = ({ dtype = '"U8"', shape = '[2]', offsets = '[0,2]', more = '' } = {}): string =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}${more}}`;
const two = Buffer.alloc(2);
const none = Buffer.alloc(0);

// Every row here has been seen to be accepted by the reference implementation, release 0.8.0.
describe('a header is accepted', () => {
  test.each<[string, string, Buffer]>([
    ['of one tensor', `{"a":${entry()}}`, two],
    ['of no tensor', '{}', none],
    ['with spaces and line ends after it', `{"a":${entry()}} \n`, two],
    ['with metadata that are null', `{"__metadata__":null,"a":${entry()}}`, two],
    [
      'with an empty tensor listed after one of the same offset',
      `{"a":${entry()},"z":${entry({ shape: '[0]', offsets: '[0,0]' })}}`,
      two,
    ],
    [
      'with an empty tensor at the end of the values',
      `{"z":${entry({ shape: '[3,0]', offsets: '[2,2]' })},"a":${entry()}}`,
      two,
    ],
    [
      'with an empty tensor whose other sizes are beyond all bounds',
      `{"z":${entry({ shape: '[0,4294967296,4294967296]', offsets: '[0,0]' })}}`,
      none,
    ],
    [
      'with a size at the end of the integers',
      `{"z":${entry({ shape: '[18446744073709551615,0]', offsets: '[0,0]' })}}`,
      none,
    ],
    ['with 64 sizes', `{"a":${entry({ shape: `[2${',1'.repeat(63)}]` })}}`, two],
    ['with a scalar', `{"a":${entry({ dtype: '"U16"', shape: '[]' })}}`, two],
    ['with values of half a byte', `{"a":${entry({ dtype: '"F4"', shape: '[4]' })}}`, two],
    ['with keys that are not known', `{"a":${entry({ more: ',"n":[1.5,{"q":null}]' })}}`, two],
    [
      'nested as deep as the reference goes',
      `{"a":${entry({ more: `,"n":${'['.repeat(125)}${']'.repeat(125)}` })}}`,
      two,
    ],
    ['with a name of escaped surrogates', `{"\\ud83d\\ude00":${entry()}}`, two],
    ['with an empty name', `{"":${entry()}}`, two],
    ['with the name of a prototype', `{"__proto__":${entry()}}`, two],
  ])('%s', (_, header, data) => {
    expect(() => read(header, data)).not.toThrow();
  });

  test.each([
    ...['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'].map(
      (dtype) => [dtype, 8] as const,
    ),
    ...['I16', 'U16', 'F16', 'BF16'].map((dtype) => [dtype, 16] as const),
    ...['I32', 'U32', 'F32'].map((dtype) => [dtype, 32] as const),
    ...['I64', 'U64', 'F64', 'C64'].map((dtype) => [dtype, 64] as const),
    ...['F6_E2M3', 'F6_E3M2'].map((dtype) => [dtype, 6] as const),
    ['F4', 4] as const,
  ])('with tensors of %s, %d bits to a value, and no others', (dtype, bits) => {
    const header = (bytes: number): unknown => ({
      a: { dtype, shape: [8], data_offsets: [0, bytes] },
    });
    expect(() => read(header(bits), Buffer.alloc(bits))).not.toThrow();
    expect(() => read(header(bits + 8), Buffer.alloc(bits + 8))).toThrow('does not fit');
  });

  test('and only its float vectors have values that can be read', () => {
    const header = {
      vector: { dtype: 'F64', shape: [2], data_offsets: [0, 16] },
      matrix: { dtype: 'F64', shape: [1, 2], data_offsets: [16, 32] },
      half: { dtype: 'F16', shape: [4], data_offsets: [32, 40] },
    };
    const file = read(header, float64Bytes([1, -2.5, 3, 4, 5]));
    expect([...file.readVector('vector')!]).toEqual([1, -2.5]);
    expect(file.readVector('matrix')).toBeUndefined();
    expect(file.readVector('half')).toBeUndefined();
    expect(file.readVector('toString')).toBeUndefined();
  });
});

describe('a header is refused', () => {
  const twice = entry();
  test.each<[string, string | Buffer, string]>([
    ['that is empty', '', 'brace'],
    ['that begins with a space', ` {"a":${entry()}}`, 'brace'],
    ['that begins with a byte order mark', `\ufeff{"a":${entry()}}`, 'brace'],
    ['with something after it', `{"a":${entry()}}x`, 'not JSON'],
    ['with a comma too many', `{"a":${entry()},}`, 'not JSON'],
    ['with a name twice', `{"a":${twice},"a":${twice}}`, "occurs twice: 'a'"],
    ['with a name twice, once escaped', `{"a":${twice},"\\u0061":${twice}}`, "occurs twice: 'a'"],
    ['with metadata twice', `{"__metadata__":{},"__metadata__":{}}`, 'occurs twice'],
    ['with a key of the metadata twice', `{"__metadata__":{"x":"1","x":"1"}}`, 'occurs twice'],
    ['with a dtype twice', `{"a":${entry({ more: ',"dtype":"U8"' })}}`, 'occurs twice'],
    ['with a shape that does not fit', `{"a":${entry({ shape: '[3]' })}}`, 'does not fit its 2'],
    ['with an unknown dtype', `{"a":${entry({ dtype: '"U9"' })}}`, "'U9', is unknown"],
    ['with an entry that is a list', '{"a":["U8",[2],[0,2]]}', 'not one of a tensor'],
    ['with an offset 2.0', `{"a":${entry({ offsets: '[0,2.0]' })}}`, 'not one of a tensor'],
    ['with an offset 2e0', `{"a":${entry({ offsets: '[0,2e0]' })}}`, 'not one of a tensor'],
    ['with an offset -0', `{"a":${entry({ offsets: '[-0,2]' })}}`, 'not one of a tensor'],
    ['with an offset 02', `{"a":${entry({ offsets: '[0,02]' })}}`, 'not JSON'],
    ['with three offsets', `{"a":${entry({ offsets: '[0,2,2]' })}}`, 'two offsets'],
    ['with a list for a size', `{"a":${entry({ shape: '[[2]]' })}}`, 'not one of a tensor'],
    ['with more than 64 sizes', `{"a":${entry({ shape: `[2${',1'.repeat(64)}]` })}}`, 'too many'],
    ['with metadata that are no texts', `{"__metadata__":{"x":1},"a":${entry()}}`, 'not texts'],
    ['with metadata that are a list', `{"__metadata__":[],"a":${entry()}}`, 'not texts'],
    ['with a size of 2e0', `{"a":${entry({ shape: '[2e0]' })}}`, 'not one of a tensor'],
    [
      'with a size beyond the integers',
      `{"a":${entry({ shape: '[18446744073709551616,0]' })}}`,
      'not one of a tensor',
    ],
    [
      'with sizes whose product is too large on the way to 0',
      `{"a":${entry({ shape: '[4294967296,4294967296,0]', offsets: '[0,0]' })}}`,
      'beyond any size',
    ],
    ['that ends within a byte', `{"a":${entry({ dtype: '"F4"', shape: '[3]' })}}`, 'within a byte'],
    ['with half a surrogate pair', `{"\\ud800":${entry()}}`, 'surrogate'],
    ['with a control character', `{"a\u0001":${entry()}}`, 'not JSON'],
    ['with an unknown escape', `{"\\q":${entry()}}`, 'not JSON'],
    ['with a text without end', '{"a', 'not JSON'],
    ['with a number out of range', `{"a":${entry({ more: ',"n":1e999' })}}`, 'out of range'],
    [
      'nested without end',
      `{"a":${entry({ more: `,"n":${'['.repeat(1e5)}${']'.repeat(1e5)}` })}}`,
      'without end',
    ],
    [
      'with a tensor that begins within another',
      `{"a":${entry()},"b":${entry({ shape: '[1]', offsets: '[1,2]' })}}`,
      "'b' are misplaced",
    ],
  ])('%s', (_, header, problem) => {
    expect(() => read(header, two)).toThrow(problem);
  });

  test('with a name that is not UTF-8', () => {
    const json = Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from(`":${entry()}}`)]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const file = Buffer.concat([length, json, two]);
    expect(() => readSafetensors(sourceOf(file))).toThrow('not UTF-8');
  });

  test('of more than a million names', () => {
    const names = Array.from({ length: 1_000_000 }, (_, index) => `"${index.toString(36)}":""`);
    const header = `{"__metadata__":{${names.join(',')}}}`;
    expect(() => read(header, none)).toThrow('more than 1000000 names');
  });

  test('of more than 100,000,000 bytes, before it is read', () => {
    const reads: number[] = [];
    const read = (_: number, length: number): Uint8Array => {
      reads.push(length);
      const prefix = Buffer.alloc(length);
      prefix.writeBigUInt64LE(100_000_001n);
      return prefix;
    };
    expect(() => readSafetensors({ size: 2 ** 40, read })).toThrow('a header of 100000001 bytes');
    expect(reads).toEqual([8]);
  });

  test.each([
    ['{"pos_grad": [1, 2], "neg_grad": [1, 2]}', 'a JSON file, not'],
    ['[]', 'a JSON file, not'],
    ['PK\x03\x04\0\0\x08\x08', 'a zip archive'],
  ])('of a file that is something else, %j', (text, problem) => {
    const file = Buffer.from(text);
    expect(() => readSafetensors(sourceOf(file))).toThrow(problem);
  });
});
