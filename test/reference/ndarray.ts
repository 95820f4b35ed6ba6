/** The package ndarray, which has no types of its own. */
import type { HostTensor } from '../../lib';

/** What is used of its arrays. */
interface View extends HostTensor<Float32Array> {
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  lo(...first: number[]): View;
  hi(...count: number[]): View;
  step(...strides: number[]): View;
  transpose(...axes: number[]): View;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a CommonJS function
export const ndarray = require('ndarray') as <Data>(
  data: Data,
  shape: number[],
  stride?: number[],
  offset?: number,
) => View & { readonly data: Data };
