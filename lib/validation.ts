import { format } from 'node:util';
import { EflArgumentError } from './errors';

/** A short text for a value of any kind, for error messages. */
export function describe(value: unknown): string {
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
  const { length } = view as unknown as { length?: number };
  const size = length === undefined ? `${view.byteLength} bytes` : `${length} values`;
  return `a ${className(view)} of ${size}`;
}

function className(value: object): string {
  const { constructor } = value as { constructor?: { name?: string } };
  return constructor?.name ?? 'Object';
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

/** An options object, all of whose names are known: a misspelt option is not silently a default. */
export function knownOptions<T extends object>(
  what: string,
  value: T | undefined,
  names: readonly string[],
): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reject(what, 'an object', value);
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      throw new EflArgumentError(name, `one of ${names.join(', ')}`, `'${name}'`);
    }
  }
  // A copy: each option is read once, and a later change of the caller's object changes nothing.
  return { ...value };
}

/** Finite as the float32 the kernels compute with. */
export function isFiniteFloat32(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

export function isInt32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && (value | 0) === value;
}
