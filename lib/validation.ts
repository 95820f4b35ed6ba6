import { format } from 'node:util';
import { EflArgumentError } from './errors';
import { kindOf, lengthOf } from './intrinsics';

/** A short text for a value of any kind, for error messages. Never throws. */
export function describe(value: unknown): string {
  try {
    return textOf(value);
  } catch {
    // What the value has to say of itself it says by throwing.
    return 'an object that cannot be read';
  }
}

function textOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string')
    return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`;
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (ArrayBuffer.isView(value)) return describeView(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object of class ${className(value)}`;
  // What is left has no parts: numbers, booleans, symbols, undefined, functions.
  return typeof value === 'function' ? 'a function' : format('%s', value);
}

function describeView(view: ArrayBufferView): string {
  const size = kindOf(view) ? `${lengthOf(view)} values` : `${view.byteLength} bytes`;
  return `a ${kindOf(view) ?? className(view)} of ${size}`;
}

function className(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } };
  const name = constructor?.name;
  return typeof name === 'string' ? name : 'Object';
}

export function reject(argument: string, expected: string, value: unknown): never {
  throw new EflArgumentError(argument, expected, describe(value));
}

/** `value`, or `fallback` where it is undefined; `check` says what is allowed, `expected` tells it. */
export function numberOption(
  argument: string,
  value: unknown,
  fallback: number,
  expected: string,
  check: (value: number) => boolean,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !check(value)) reject(argument, expected, value);
  return value;
}

/** An integer from `least` to `most`. */
export function checkInteger(
  argument: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    const bounded = most < Number.MAX_SAFE_INTEGER;
    reject(
      argument,
      bounded ? `an integer from ${least} to ${most}` : `an integer >= ${least}`,
      value,
    );
  }
  return value as number;
}

/** One of a few words. */
export function choiceOption<T extends string>(
  argument: string,
  value: unknown,
  fallback: T,
  choices: readonly T[],
): T {
  if (value === undefined) return fallback;
  if (!choices.includes(value as T)) {
    reject(argument, choices.map((choice) => `'${choice}'`).join(' or '), value);
  }
  return value as T;
}

export function booleanOption(argument: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') reject(argument, 'true or false', value);
  return value;
}

/** Has no prototype with properties: a name that was not given is undefined, whatever objects have. */
const OptionValues = function () {} as unknown as new () => Record<string, unknown>;
OptionValues.prototype = Object.create(null) as object;

/** A proxy can have prototypes without end; classes have a few. */
const maxPrototypes = 64;

/**
 * The options given, by name, each read once; a later change of the object changes nothing. Own and
 * inherited ones count alike, and getters like values: an instance of a class is an options object.
 * All names must be known, so that a misspelt option is not silently a default; methods of a class
 * are none, and neither is what every object inherits. They are put into `found`, for a small call
 * into an object that has all names: another kind of object for each set of options would cost more.
 */
export function knownOptions<T extends object>(
  what: string,
  value: T | undefined,
  names: readonly string[],
  found: object = new OptionValues(),
): Partial<T> {
  if (value === undefined) return found;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reject(what, 'an object', value);
  }
  let owner: object | null = value;
  let hidden: readonly string[] = [];
  for (let depth = 0; owner !== null && (depth === 0 || !isRoot(owner)); depth++) {
    if (depth > maxPrototypes) reject(what, `an object of at most ${maxPrototypes} classes`, value);
    const own = Object.getOwnPropertyNames(owner);
    for (const name of own) {
      if (names.includes(name)) {
        if (hidden.includes(name)) continue;
        (found as Record<string, unknown>)[name] = (value as Record<string, unknown>)[name];
      } else if (!isMethod(owner, name)) {
        throw new EflArgumentError(name, `one of ${names.join(', ')}`, `'${name}'`);
      }
    }
    hidden = hidden.length > 0 ? [...hidden, ...own] : own;
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return found;
}

/** What plain objects inherit from, of whichever realm. */
function isRoot(object: object): boolean {
  if (object === Object.prototype) return true;
  return Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'hasOwnProperty');
}

function isMethod(owner: object, name: string): boolean {
  const property = Object.getOwnPropertyDescriptor(owner, name);
  return !property?.enumerable && typeof property?.value === 'function';
}

/**
 * The elements of an array or a typed array, each read once; undefined for what is neither, or has
 * more than `most` of them.
 */
export function listOf(value: unknown, most: number): unknown[] | undefined {
  const isTyped = ArrayBuffer.isView(value) && kindOf(value) !== undefined;
  if (!isTyped && !Array.isArray(value)) return undefined;
  const list = value as ArrayLike<unknown>;
  const length: unknown = isTyped ? lengthOf(list) : list.length;
  if (!Number.isInteger(length) || (length as number) > most) return undefined;
  // By index: holes of a sparse array are looked at, too.
  const elements: unknown[] = [];
  for (let index = 0; index < (length as number); index++) elements.push(list[index]);
  return elements;
}

/** Makes properties that were assigned before final: what was checked stays true. */
export function fix(object: object, ...names: string[]): void {
  for (const name of names) {
    Object.defineProperty(object, name, { writable: false, configurable: false });
  }
}

export function isInt32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && (value | 0) === value;
}
