import { quoted } from './printable';

/**
 * JSON as the header of a safetensors file needs it: unlike `JSON.parse` this refuses a key that
 * occurs twice and text that is no Unicode, and tells integers from the numbers 1.0, 1e2 and -0.
 */
export type Scalar =
  | null
  | boolean
  /** A number that is not written as an integer >= 0, or is above 2^64 - 1. */
  | number
  /** A number that is. */
  | bigint;

/** As deep as the reference implementation of safetensors goes; and the stack is not endless. */
const mostDepth = 127;
/** Keys of the objects that a place is in, all together: each is kept, to know it again. */
const mostKeys = 1_000_000;
const mostInteger = 2n ** 64n - 1n;
/** Digits of the largest integer. */
const mostDigits = 20;
/** Digits of which every integer is exact as a number. */
const exactDigits = 15;

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /null|true|false/y;
const words: Readonly<Record<string, Scalar>> = { null: null, true: true, false: false };

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const backslash = 0x5c;
const closingBracket = 0x5d;

/**
 * Reads a text value by value, as its caller asks for them: no tree is built, so that what the caller
 * has no use for takes no memory but for its keys. Every method throws an Error that says what is wrong with the text.
 */
export class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #keys = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What the next value, or whatever follows, begins with; '' at the end of the text. */
  get next(): string {
    this.#nextCode();
    return this.#text.charAt(this.#at);
  }

  /**
   * Reads an object. `readMember` has to read the value of each key. A caller that keeps the keys
   * anyway says with `has` whether it has one.
   */
  object(readMember: (key: string) => void, has?: (key: string) => boolean): void {
    const keys = new Keys();
    let count = 0;
    this.#sequence('{', '}', () => {
      const key = this.string();
      if (has ? has(key) : !keys.add(key)) {
        throw new Error(`the header has a key that occurs twice: ${quoted(key)}`);
      }
      count++;
      if (++this.#keys > mostKeys) throw new Error(`more than ${mostKeys} names in the header`);
      if (this.#nextCode() !== colon) this.#fail();
      this.#at++;
      readMember(key);
    });
    this.#keys -= count;
  }

  /** Reads a list. `readItem` has to read each of its values. */
  list(readItem: () => void): void {
    this.#sequence('[', ']', readItem);
  }

  string(): string {
    if (this.#nextCode() !== quote) this.#fail();
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    let isPlain = true;
    for (let code = text.charCodeAt(end); code !== quote; code = text.charCodeAt(end)) {
      if (!(code >= space)) this.#fail(); // a control character, or NaN at the end of the text
      if (code === backslash) isPlain = false;
      end += code === backslash ? 2 : 1;
    }
    const value = isPlain ? text.slice(start + 1, end) : unescaped(text.slice(start, end + 1));
    if (value === undefined) this.#fail();
    this.#at = end + 1;
    return value;
  }

  scalar(): Scalar {
    return this.#shortInteger() ?? this.#anyScalar();
  }

  /** Reads a value of any kind, of which only its being JSON counts. */
  skip(): void {
    const skip = (): void => {
      this.skip();
    };
    const { next } = this;
    if (next === '{') this.object(skip);
    else if (next === '[') this.list(skip);
    else if (next === '"') this.string();
    else this.scalar();
  }

  /** Refuses whatever follows but white space. */
  end(): void {
    this.#nextCode();
    if (this.#at < this.#text.length) this.#fail();
  }

  /** What nearly every number of a header is; undefined, and nothing is read, for all else. */
  #shortInteger(): bigint | undefined {
    const text = this.#text;
    let code = this.#nextCode();
    const start = this.#at;
    let at = start;
    let value = 0;
    for (; code >= zero && code <= nine; code = text.charCodeAt(++at)) {
      value = 10 * value + (code - zero);
    }
    const isOne = code === comma || code === closingBracket;
    const length = at - start;
    if (!isOne || length === 0 || length > exactDigits) return undefined;
    if (length > 1 && text.charCodeAt(start) === zero) return undefined;
    this.#at = at;
    return BigInt(value);
  }

  #anyScalar(): Scalar {
    const literal = this.#match(number);
    if (literal === '') {
      const named = this.#match(word);
      return named === '' ? this.#fail() : (words[named] as Scalar);
    }
    if (literal.length <= mostDigits && /^[0-9]+$/.test(literal)) {
      const integer = BigInt(literal);
      if (integer <= mostInteger) return integer;
    }
    const value = Number(literal);
    if (!Number.isFinite(value)) throw new Error('the header has a number out of range');
    return value;
  }

  #sequence(start: string, end: string, readItem: () => void): void {
    if (this.next !== start) this.#fail();
    if (++this.#depth > mostDepth) throw new Error('brackets within brackets without end');
    this.#at++;
    const last = end.charCodeAt(0);
    if (this.#nextCode() !== last) {
      readItem();
      while (this.#nextCode() !== last) {
        if (this.#text.charCodeAt(this.#at) !== comma) this.#fail();
        this.#at++;
        readItem();
      }
    }
    this.#at++;
    this.#depth--;
  }

  /** Goes past any white space; the code of the character there, NaN at the end. */
  #nextCode(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== space && code !== lineFeed && code !== carriageReturn && code !== tab)
        return code;
      this.#at++;
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return '';
    const start = this.#at;
    this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #fail(): never {
    throw new Error(`the header is not JSON from character ${this.#at} on`);
  }
}

/** The value of a text between quotation marks; undefined where an escape is not one. */
function unescaped(literal: string): string | undefined {
  let value: string;
  try {
    value = JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
  // Only escapes write half a pair: the text itself has come from UTF-8.
  if (/\p{Surrogate}/u.test(value)) throw new Error('half a surrogate pair in the header');
  return value;
}

/** The keys of an object. Most have a few, and a header has very many of these. */
class Keys {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  /** False where it was there before. */
  add(key: string): boolean {
    if (this.#many ? this.#many.has(key) : this.#few.includes(key)) return false;
    if (!this.#many && this.#few.length === mostFew) this.#many = new Set(this.#few);
    if (this.#many) this.#many.add(key);
    else this.#few.push(key);
    return true;
  }
}

const mostFew = 8;
