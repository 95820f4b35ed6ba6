/** Labels that are none, are too many or too few, or have a bad value. */
import { inspect } from 'node:util';
import { detached, resizable } from './memory';
import {
  ALL_CALLS,
  BACKWARD,
  BOTH,
  CLASSES,
  COUNT,
  eachPart,
  group,
  HOST_LABELS,
  LEVEL_LABELS,
  levels,
  ROWS,
  rows,
  tensor,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const everywhere: Scope = { methods: ALL_CALLS, device: BOTH };
/** What is no array of integers stays on the host. */
const ofHost: Scope = { methods: ALL_CALLS, device: HOST_LABELS };
const onHost: Scope = { methods: ALL_CALLS };

const toTurn = /Int32Array\.from\(labels\), or dense targets, as Float32Array\.from\(labels\)/;
const inFloat64 = { data: new Float64Array(ROWS), dims: [ROWS], type: 'float64' };

const kinds: Refusal[] = [
  ...eachPart('labels', 'labels', ofHost, [undefined, null, 0, '1,0,2', {}, [], [0, 1]]),
  ...eachPart('labels', 'labels', ofHost, [[0, 1, 2, 3], { length: 3, 0: 0, 1: 0, 2: 0 }]),
  ...eachPart('labels', 'labels', ofHost, [new Uint8Array(2), new Float32Array(ROWS)]),
  ...eachPart('labels', 'labels', everywhere, [new Int32Array(2), new Int32Array(4)]),
  ...eachPart('labels', 'labels', onHost, [[[0, 1, 2]]]),
  ...eachPart('labels', 'labels', { ...ofHost, expected: toTurn }, [new Float64Array(ROWS)]),
  ...eachPart('labels', 'labels', { ...ofHost, expected: /Float32Array\.from\(labels\)/ }, [
    inFloat64,
  ]),
  ...eachPart(
    'labels',
    'labels',
    {
      ...ofHost,
      expected: /one for each row of the logits; dense targets come in a Float32Array$/,
      received: /^a Uint8Array/,
    },
    [new Uint8Array(COUNT)],
  ),
  ...group('labels', ofHost, {
    'labels that are detached': rows({ labels: detached(new Int32Array(ROWS)) }),
    'targets that are detached': rows({ labels: detached(values()) }),
  }),
  ...group(
    'labels',
    { ...onHost, received: 'a resizable buffer' },
    { 'labels in a resizable buffer': rows({ labels: resizable(Int32Array, ROWS) }) },
  ),
];

const [one, two, three] = LEVEL_LABELS;

function spelled(received: Scope['received'], labels: unknown): Refusal[] {
  const scope = { ...ofHost, expected: /32-bit integer/, ...(received && { received }) };
  const what = `labels ${inspect(labels)}`;
  const inLevel = rows({ logits: [tensor()], labels: [labels], grad: undefined });
  return [
    ...group('labels[2]', scope, { [what]: rows({ labels }) }),
    ...group('labels[0][2]', scope, { [`${what} of a level`]: inLevel }),
  ];
}

/** Found before anything is computed. */
const noIntegers: Refusal[] = [
  ...spelled('2147483648n', BigInt64Array.of(1n, 0n, 2n ** 31n)),
  ...spelled('-1099511627776n', BigInt64Array.of(1n, 0n, -(2n ** 40n))),
  ...spelled('18446744073709551615n', BigUint64Array.of(1n, 0n, 2n ** 64n - 1n)),
  ...spelled('2147483648', Uint32Array.of(1, 0, 2 ** 31)),
  ...spelled('1n', [1, 0, 1n]),
  ...[0.5, NaN, Infinity, 4294967297, '3', null, undefined].flatMap((label) =>
    spelled(undefined, [1, 0, label]),
  ),
  ...spelled(undefined, [1, 0, ,]),
  ...group('labels[2][3]', ofHost, {
    'a fraction among the labels of a level': levels({ labels: [one, two, [0, 0, 0, 0.5, 0, 0]] }),
  }),
];

const found = { ...everywhere, isValue: true };
const seventh = two!.map((_, row) => (row === 7 ? 99 : 0));
const both = values();

/** Found by a kernel. */
const noClasses: Refusal[] = [
  ...[5, -2, 2147483647, -2147483648].flatMap((label) =>
    eachPart('labels', 'labels[1]', { ...found, received: String(label) }, [
      Int32Array.of(1, label, 3),
    ]),
  ),
  ...group(
    'labels[1]',
    { ...ofHost, isValue: true },
    { '9 in a list': rows({ labels: [0, 9, 0] }) },
  ),
  ...group(
    'labels[2]',
    { ...ofHost, isValue: true },
    { '9 in big integers': rows({ labels: BigInt64Array.of(1n, 0n, 9n) }) },
  ),
  ...group(
    'labels[1][7]',
    { ...found, received: '99' },
    { '99 in a level': levels({ labels: [one, seventh, three] }) },
  ),
  ...group(
    'labels[2]',
    { methods: BACKWARD },
    {
      'a bad label with the gradient over the logits': rows({
        logits: both,
        grad: both,
        labels: Int32Array.of(1, 0, 9),
      }),
    },
  ),
];

const volumes = { data: values(32), shape: [1, CLASSES, 2, 2, 2] };

const ofLevels: Refusal[] = [
  ...group('labels', everywhere, {
    'one array of labels for all levels': levels({ labels: one }),
    'too few lists of labels': levels({ labels: [one, two] }),
    'a list of labels without one of logits': rows({ labels: [Int32Array.of(1, 0, 3)] }),
  }),
  ...group('labels', ofHost, {
    'one list of labels for all levels': levels({ labels: Array.from(one!) }),
  }),
  ...group('labels[0]', ofHost, {
    'a number for the labels of a level': levels({ labels: [0, 0, 0] }),
  }),
  ...group(
    'labels[1]',
    { ...everywhere, expected: '12 labels, B x H x W x A = 1 x 2 x 2 x 3' },
    {
      'too few labels at a level': levels({ labels: [one, new Int32Array(11), three] }),
      'too many labels at a level': levels({ labels: [one, one, one] }),
    },
  ),
  ...group(
    'labels',
    { ...everywhere, expected: '8 labels, B x D x H x W x A = 1 x 2 x 2 x 2 x 1' },
    {
      'too few labels of volumes': rows({
        logits: volumes,
        labels: new Int32Array(1),
        grad: undefined,
        call: { layout: 'NCHW' },
      }),
    },
  ),
];

function shaped(argument: string, scope: Scope, logits: object, labels: object, call = {}) {
  const given: Given = { logits, labels, call };
  const shape = JSON.stringify(Object.values(labels).slice(1));
  return group(argument, scope, { [`labels of shape ${shape}`]: given });
}

const maps = { data: values(48 * CLASSES), shape: [2, 3, 4, 2 * CLASSES] };
const inOrder = { ...everywhere, expected: /^2 x 3 x 4 x 2/ };
const six = new Int32Array(6);
const ofSix = { data: values(24), shape: [2, 3, CLASSES] };
const bigSix = { data: new BigInt64Array(6), dims: [3, 2], type: 'int64' };

const shapes: Refusal[] = [
  ...[
    [4, 3, 2, 2],
    [16, 3],
    [2, 3, 2, 4],
    [3, 2, 8],
  ].flatMap((shape) =>
    shaped(
      'labels.shape',
      inOrder,
      maps,
      { data: new Int32Array(48), shape },
      {
        layout: 'NHWC',
        anchors: 2,
      },
    ),
  ),
  ...shaped('labels.shape', everywhere, ofSix, { data: six, shape: [3, 2] }),
  ...shaped('labels.shape', ofHost, ofSix, { data: six, shape: [6.5] }),
  ...shaped('labels.shape', ofHost, ofSix, { data: six, shape: 6 }),
  ...shaped('labels.shape', ofHost, ofSix, bigSix),
  ...shaped('labels.data', ofHost, ofSix, { data: six, dims: [6, 2], type: 'int32' }),
];

export const LABELS: readonly Refusal[] = [
  ...kinds,
  ...noIntegers,
  ...noClasses,
  ...ofLevels,
  ...shapes,
];
