/** Float16Array, which newer runtimes have. */

type Construct = new (
  source: ArrayBufferLike | ArrayLike<number>,
) => ArrayBufferView & ArrayLike<number> & { readonly buffer: ArrayBuffer };

export const Float16Array = (globalThis as { Float16Array?: Construct }).Float16Array;

/** `test` where the runtime has it; elsewhere a test that is skipped, and says so. */
export function testWithFloat16Array(): jest.It {
  if (Float16Array !== undefined) return test;
  console.warn(`Tests of Float16Array are skipped: Node.js ${process.version} has none.`);
  return test.skip;
}
