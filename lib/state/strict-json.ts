import { quoted } from './printable';

/**
 * JSON as the header of a safetensors file needs it: unlike `JSON.parse` this refuses a key that
 * occurs twice and text that is no Unicode, and tells integers from the numbers 1.0, 1e2 and -0.
 */
export type Json =
  | null
  | boolean
  /** A number that is not written as an integer >= 0, or is above 2^64 - 1. */
  | number
  /** A number that is. */
  | bigint
  | string
  | readonly Json[]
  | ReadonlyMap<string, Json>;

/** Throws an Error whose message says what is wrong with the text. */
export function parseStrictJson(text: string): Json {
  return new Reader(text).document();
}

/** As deep as the reference implementation of safetensors goes; and the stack is not endless. */
const mostDepth = 127;
const mostInteger = 2n ** 64n - 1n;
/** Digits of the largest integer. */
const mostDigits = 20;

const whitespace = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /null|true|false/y;
const words: Readonly<Record<string, Json>> = { null: null, true: true, false: false };

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value();
    this.#match(whitespace);
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #value(): Json {
    switch (this.#next()) {
      case '{':
        return this.#object();
      case '[':
        return this.#list();
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>();
    this.#sequence('}', () => {
      if (this.#next() !== '"') this.#fail();
      const key = this.#string();
      if (members.has(key)) throw new Error(`a key that occurs twice: ${quoted(key)}`);
      this.#expect(':');
      members.set(key, this.#value());
    });
    return members;
  }

  #list(): readonly Json[] {
    const items: Json[] = [];
    this.#sequence(']', () => {
      items.push(this.#value());
    });
    return items;
  }

  /** What stands between an opening bracket, where the reader is, and its closing one. */
  #sequence(end: string, readItem: () => void): void {
    if (++this.#depth > mostDepth) throw new Error('brackets within brackets without end');
    this.#at++;
    if (this.#next() !== end) {
      readItem();
      while (this.#next() !== end) {
        this.#expect(',');
        readItem();
      }
    }
    this.#at++;
    this.#depth--;
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const value = unescaped(this.#text.slice(start, end + 1));
    if (value === undefined) this.#fail();
    this.#at = end + 1;
    if (/\p{Surrogate}/u.test(value)) throw new Error('half a surrogate pair in a text');
    return value;
  }

  #scalar(): Json {
    const literal = this.#match(number);
    if (literal === '') {
      const named = this.#match(word);
      return named === '' ? this.#fail() : (words[named] as Json);
    }
    if (/^[0-9]+$/.test(literal) && literal.length <= mostDigits) {
      const integer = BigInt(literal);
      if (integer <= mostInteger) return integer;
    }
    const value = Number(literal);
    if (!Number.isFinite(value)) throw new Error('a number out of range');
    return value;
  }

  /** The character after any white space, where the reader then is; '' at the end. */
  #next(): string {
    this.#match(whitespace);
    return this.#text.charAt(this.#at);
  }

  #expect(character: string): void {
    if (this.#next() !== character) this.#fail();
    this.#at++;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #fail(): never {
    throw new Error(`no JSON from character ${this.#at} on`);
  }
}

/** The value of a text between quotation marks; undefined where one is missing or an escape is not one. */
function unescaped(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
