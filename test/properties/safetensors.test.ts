import fc from 'fast-check';
import { readSafetensors } from '../../lib/state/safetensors';
import { JsonReader } from '../../lib/state/strict-json';
import { encodeSafetensors } from '../reference/safetensors';
import { check } from './support';

/** As `JSON.parse` would have it. */
function parseStrictJson(text: string): unknown {
  const reader = new JsonReader(text);
  const value = readValue(reader);
  reader.end();
  return value;
}

function readValue(reader: JsonReader): unknown {
  switch (reader.next) {
    case '{': {
      const members: [string, unknown][] = [];
      reader.object((key) => void members.push([key, readValue(reader)]));
      return Object.fromEntries(members);
    }
    case '[': {
      const items: unknown[] = [];
      reader.list(() => void items.push(readValue(reader)));
      return items;
    }
    case '"':
      return reader.string();
    default: {
      const value = reader.scalar();
      return typeof value === 'bigint' ? Number(value) : value;
    }
  }
}

/** Whether it is read to its end; nothing of it is kept. */
function isSkipped(text: string): boolean {
  const reader = new JsonReader(text);
  reader.skip();
  reader.end();
  return true;
}

function attempt<T>(action: () => T): { value: T } | undefined {
  try {
    return { value: action() };
  } catch (error) {
    // Not a stack overflow, not a TypeError.
    expect((error as Error).constructor.name).toMatch(/^(Error|SyntaxError)$/);
    return undefined;
  }
}

describe('strict JSON', () => {
  test('is read as JSON.parse reads it', () => {
    check(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        expect(isSkipped(text)).toBe(true);
      }),
    );
  });

  test('is JSON: what JSON.parse refuses is refused', () => {
    const token = fc.constantFrom(
      ...Array.from('{}[]",:012.eE+-\\ \nu\u0001'),
      'null',
      'true',
      '"a"',
    );
    check(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        const expected = attempt(() => JSON.parse(text) as unknown);
        const actual = attempt(() => parseStrictJson(text));
        // Of what is left out here two keys that are the same are the only case.
        if (!expected) expect(actual).toBeUndefined();
        if (actual) expect(actual.value).toEqual(expected!.value);
        expect(attempt(() => isSkipped(text)) !== undefined).toBe(actual !== undefined);
      }),
      2000,
    );
  });
});

describe('a file with damaged bytes', () => {
  const whole = encodeSafetensors(
    {
      __metadata__: { format: 'pt' },
      pos_grad: { dtype: 'F64', shape: [2], data_offsets: [0, 16] },
      scale: { dtype: 'F16', shape: [], data_offsets: [16, 18] },
    },
    Buffer.alloc(18),
  );

  test('is read or refused with an Error, and no read is beyond its end', () => {
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 3 });
    check(
      fc.property(damage, fc.nat(4), (changes, cut) => {
        const file = Buffer.from(whole.subarray(0, whole.length - cut));
        for (const [at, byte] of changes) if (at < file.length) file[at] = byte;
        attempt(() => {
          const read = (at: number, length: number): Uint8Array => {
            expect(at + length).toBeLessThanOrEqual(file.length);
            return file.subarray(at, at + length);
          };
          const { tensors, readVector } = readSafetensors({ size: file.length, read });
          for (const name of tensors.keys()) readVector(name);
        });
      }),
      2000,
    );
  });
});
