/** Float16Array, which newer runtimes have. */

type Construct = new (
  source: ArrayBufferLike | ArrayLike<number>,
) => ArrayBufferView & ArrayLike<number> & { readonly buffer: ArrayBuffer };

export const Float16Array = (globalThis as { Float16Array?: Construct }).Float16Array;

/** `test` where the runtime has it; else skipped with a word, or failed (EFL_REQUIRE_FLOAT16ARRAY). */
export function testWithFloat16Array(): jest.It {
  if (Float16Array !== undefined) return test;
  const reason = `Node.js ${process.version} has no Float16Array`;
  if (process.env['EFL_REQUIRE_FLOAT16ARRAY'] === '1') throw new Error(reason);
  console.warn(`Tests of Float16Array are skipped: ${reason}.`);
  return test.skip;
}
