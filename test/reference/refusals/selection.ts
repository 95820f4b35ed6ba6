/** Weights of rows and masks, all of what is wrong with them. */
import {
  BOTH,
  eachOption,
  group,
  HOST_LABELS,
  LEVEL_LABELS,
  levels,
  option,
  ROWS,
  rows,
  tensor,
} from './refusal';
import type { Refusal, Scope } from './refusal';

const ofHost: Scope = { device: HOST_LABELS };
const anywhere: Scope = { device: BOTH };
const found: Scope = { ...ofHost, isValue: true, expected: 'a finite number >= 0' };
const onlyCollect: Scope = { ...anywhere, methods: ['collectGrad'] };

const ofLevels = LEVEL_LABELS.map(({ length }, i) => new Float32Array(length).fill(i ? -2 : 0, 3));

export const SELECTION: readonly Refusal[] = [
  ...eachOption('rowWeight', ofHost, [null, 2, [1], [1, 1, 1, 1], new Float64Array(ROWS), '111']),
  ...eachOption('rowWeight', anywhere, [new Float32Array(2), new Float32Array(4)]),
  ...group('rowWeight[1]', ofHost, { 'a weight that is a text': option('rowWeight', [1, '1', 1]) }),
  ...[-1, NaN, Infinity, -Infinity, 1e39].flatMap((weight) =>
    group('rowWeight[2]', found, {
      [`the weight ${weight}`]: option('rowWeight', [0, 1, weight]),
      [`the weight ${weight} of an ignored row`]: rows({
        labels: Int32Array.of(0, 1, -1),
        call: { rowWeight: [0, 1, weight] },
      }),
    }),
  ),
  ...group('rowWeight[1][3]', found, {
    'a bad weight of a level': levels({ call: { rowWeight: ofLevels } }),
  }),
  ...group('rowWeight', ofHost, {
    'weights of too few levels': levels({ call: { rowWeight: ofLevels.slice(1) } }),
  }),
  ...group('rowWeight.shape', ofHost, {
    'weights in another order than rows': levels({
      call: {
        rowWeight: LEVEL_LABELS.map(({ length }) => ({
          data: new Float32Array(length),
          shape: [length / 3, 3].reverse(),
        })),
      },
    }),
  }).map((row) => ({ ...row, argument: 'rowWeight[0].shape' })),
  ...eachOption('mask', ofHost, [null, 1, [1], new Uint8Array(3), new Int8Array(12)]),
  ...group('mask.shape', ofHost, {
    'a mask in another order': rows({
      logits: tensor(),
      call: { mask: { data: new Uint8Array(12), shape: [4, 3] } },
    }),
  }),
  ...eachOption('classMask', ofHost, [null, [1, 1, 1, 1], new Uint8Array(3), new Float32Array(4)]),
  ...eachOption('rowWeight', onlyCollect, [Float32Array.of(1, 1, 1)]),
  ...eachOption('mask', onlyCollect, [new Uint8Array(12)]),
];
