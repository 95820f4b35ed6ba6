/** Arrays whose memory goes away or changes its size. */

/** An array that a transfer has emptied. */
export function detached<T extends ArrayBufferView>(array: T): T {
  structuredClone(0, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

type Resizable = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
type Words = Float32ArrayConstructor | Int32ArrayConstructor;

/** Of a length now that its buffer may change. */
export function resizable(
  Words: Words,
  length: number,
  Buffer: unknown = ArrayBuffer,
): Float32Array | Int32Array {
  const bytes = Words.BYTES_PER_ELEMENT * length;
  return new Words(new (Buffer as Resizable)(bytes, { maxByteLength: 2 * bytes }));
}
