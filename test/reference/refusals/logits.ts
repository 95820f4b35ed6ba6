/** Logits of a wrong type, shape or memory, and gradients for `collectGrad` alike. */
import { FAMILY } from '../family';
import { ndarray } from '../ndarray';
import { detached, resizable } from './memory';
import {
  ALL_CALLS,
  BOTH,
  CLASSES,
  COUNT,
  eachPart,
  group,
  half,
  level,
  levels,
  ROWS,
  rows,
  tensor,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const good = values();
const onHost: Scope = { methods: ALL_CALLS };
const everywhere: Scope = { methods: ALL_CALLS, device: BOTH };
const withShapes = (shapes: readonly unknown[]): object[] =>
  shapes.map((shape) => tensor(good, { shape }));

const kinds: Refusal[] = [
  ...eachPart('logits', 'logits', onHost, [undefined, null, 3, 'logits', {}, []]),
  ...eachPart('logits', 'logits', onHost, [new Uint16Array(COUNT), new Uint8Array(4 * COUNT)]),
  ...eachPart('logits', 'logits', onHost, [new ArrayBuffer(48), new DataView(new ArrayBuffer(48))]),
  ...eachPart('logits', 'logits', onHost, [new Float32Array(11), new Float32Array(13)]),
  ...eachPart('logits', 'logits', onHost, [Array.from(good), new Int32Array(COUNT)]),
  ...eachPart('logits', 'logits', onHost, [new Float64Array(COUNT)]),
  ...eachPart('logits', 'logits', onHost, [tensor(null), tensor(new Float64Array(COUNT))]),
  ...eachPart('logits', 'logits', onHost, withShapes([undefined, '3x4', 12])),
  ...eachPart('logits', 'logits[0]', onHost, [[good]]),
  ...eachPart('logits', 'logits.data', onHost, withShapes([[], [2, 3], [4, CLASSES]])),
  ...eachPart('logits', 'logits.data', onHost, [
    half('float16', { shape: [4, CLASSES] }),
    half('bfloat16', { shape: [4, CLASSES] }),
  ]),
  ...eachPart('logits', 'logits.shape', onHost, [
    ...withShapes([
      [CLASSES, ROWS],
      [-ROWS, -CLASSES],
    ]),
    ...withShapes([
      [3.0001, CLASSES],
      ['3', CLASSES],
      [ROWS, NaN],
    ]),
  ]),
  ...eachPart('logits', 'logits.dtype', onHost, [
    tensor(new Uint16Array(COUNT)),
    tensor(new Uint16Array(COUNT), { dtype: 'float32' }),
    ...['float64', null, 'float16', 'bfloat16'].map((dtype) => tensor(good, { dtype })),
  ]),
];

function advised(advice: string, bad: Record<string, unknown>): Refusal[] {
  return Object.entries(bad).flatMap(([name, logits]) =>
    group('logits', { expected: including(advice) }, { [`logits in ${name}`]: rows({ logits }) }),
  );
}

function including(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

/** What the error says to make of them. */
const advice: Refusal[] = [
  ...advised('Float32Array.from(logits)', {
    float64: new Float64Array(COUNT),
    integers: new Int32Array(COUNT),
    'plain numbers': Array.from(good),
  }),
  ...advised('Float32Array.from(logits, Number)', { 'big integers': new BigInt64Array(COUNT) }),
  ...advised('Float32Array.from(logits.flat())', { 'rows of plain numbers': [[1, 2, 3, 4]] }),
  ...advised('Float32Array.from(logits.data)', {
    'a tensor of float64': tensor(new Float64Array(COUNT)),
    'a tensor of numbers': tensor(Array.from(good)),
    'float64 of onnxruntime': { data: new Float64Array(3), dims: [1, 3], type: 'float64' },
  }),
  ...group(
    'logits[1]',
    { expected: /logits\[1\]\.data/ },
    {
      'a level of float64': rows({ logits: [tensor(), tensor(new Float64Array(12))], labels: [] }),
    },
  ),
];

const [one, two, three] = [level(3), level(2), level(1)];
const channels = '12 channels (anchors 3 x numClasses 4)';
const nchw = { data: good, shape: [1, COUNT, 1, 1] };
const halves = { data: new Uint16Array(48), shape: [1, 2, 2, 12], dtype: 'float16' };

const ofLevels: Refusal[] = [
  ...group(
    'logits[2].shape',
    { ...everywhere, expected: `B x H x W x ${channels}`, received: '1 x 2 x 2 x 13' },
    {
      'a level of 13 channels': levels({
        logits: [one, two, { data: values(52), shape: [1, 2, 2, 13] }],
      }),
    },
  ),
  ...group(
    'logits[0].shape',
    { ...everywhere, expected: `B x ${channels} x H x W` },
    { 'maps that are not in NCHW': levels({ call: { layout: 'NCHW' } }) },
  ),
  ...group(
    'logits[0].shape',
    { ...everywhere, expected: `B x H x W x ${channels}` },
    { 'maps that are not in NHWC': levels({ logits: [nchw] }) },
  ),
  ...group(
    'logits[0].shape',
    { ...everywhere, expected: `B x W x ${channels}` },
    { 'a level of three dimensions': levels({ logits: [{ data: values(8), shape: [1, 2, 4] }] }) },
  ),
  ...group('logits[0].shape', everywhere, {
    'maps of another number of anchors': levels({ call: { anchors: 5 } }),
    'maps as rows': levels({ call: { layout: undefined, anchors: undefined } }),
  }),
  ...group('logits[1]', everywhere, {
    'a hole among levels': levels({ logits: [one, , three] }),
  }),
  ...group('logits', onHost, { 'no level': levels({ logits: [] }) }),
  ...group('logits[1]', onHost, { 'a bare level': levels({ logits: [one, two.data, three] }) }),
  ...group('logits[0].dtype', onHost, {
    'a level said to be of another type': levels({ logits: [{ ...one, dtype: 'bfloat16' }] }),
  }),
  ...group('logits[1].data', onHost, {
    'a level of too few values': levels({ logits: [one, { ...two, shape: [1, 2, 9, 12] }] }),
  }),
  ...group(
    'logits[1].dtype',
    { ...everywhere, expected: /float32/, received: 'float16' },
    { 'a level of another type': levels({ logits: [one, halves] }) },
  ),
];

function ofShape(shape: number[], call: object): Given {
  const count = shape.reduce((product, size) => product * size, 1);
  return rows({ logits: { data: values(count), shape }, labels: [], call });
}

const shaped = (expected: Scope['expected'], shape: number[], call: object, rest?: Scope) =>
  group(
    'logits.shape',
    { expected: expected!, device: BOTH, ...rest },
    { [`logits of ${shape.join(' x ')} with ${JSON.stringify(call)}`]: ofShape(shape, call) },
  );

const boxes = 'as of a head with boxes, copy those of the classes into an array of their own';
const perAnchor = including(`with 8 columns an anchor, ${boxes}`);
const ofClasses = /^B x 4 channels \(anchors 1 x numClasses 4\) x D x H x W/;
const ofOneDimension = /^B x W x 4 channels \(anchors 1 x numClasses 4\)/;
const ofAnchors = /^B x 8 channels \(anchors 2 x numClasses 4\)/;
const objectness = {
  losses: FAMILY.filter(({ kind }) => kind === 'equalizationV2'),
  options: { objectness: true },
};
const withOne = 'B x 10 channels (anchors 2 x (numClasses 4 + 1)) x H x W';

const shapes: Refusal[] = [
  ...shaped(ofClasses, [1, 5, 2, 2, 2], { layout: 'NCHW' }),
  ...shaped(ofOneDimension, [1, 2, 5], { layout: 'NHWC' }),
  ...shaped(/^B x 4 channels .* x H x W$/, [4], { layout: 'NCHW' }),
  ...shaped(ofAnchors, [6, 4], { layout: 'NCHW', anchors: 2 }),
  ...shaped(perAnchor, [1, 16, 2, 2], { layout: 'NCHW', anchors: 2 }),
  ...shaped(/with 8 columns a row/, [5, 8], {}),
  ...shaped('numClasses + 1 = 5 as the last dimension', [2, 4], {}, objectness),
  ...shaped(withOne, [1, 8, 1, 1], { layout: 'NCHW', anchors: 2 }, objectness),
  ...eachPart('logits', 'logits', objectness, [new Float32Array(CLASSES)]),
];

const inOrder =
  'elements that lie one after another, with strides 4, 1: copy the view into an array of its own';
const strides = (given: unknown): Given =>
  rows({ logits: { ...tensor(), offset: 0, strides: given } });

const views: Refusal[] = [
  ...group(
    'logits.stride',
    { ...onHost, expected: inOrder },
    {
      'a transposed ndarray': rows({ logits: ndarray(good, [CLASSES, ROWS]).transpose(1, 0) }),
      'every second column': rows({ logits: ndarray(values(24), [ROWS, 8]).step(1, 2) }),
      'some columns': rows({ logits: ndarray(values(15), [ROWS, 5]).hi(ROWS, CLASSES) }),
      'a column in four': strides([16, 4]),
      'strides of columns': strides([1, ROWS]),
      'strides in a typed array': strides(Int32Array.of(1, ROWS)),
    },
  ),
  ...group('logits.stride', onHost, { 'strides that are none': strides('rows') }),
  ...group('logits.data', onHost, {
    'an ndarray beyond its memory': rows({ logits: ndarray(good, [ROWS, CLASSES], [4, 1], 1) }),
  }),
  ...group('logits.offset', onHost, {
    'an ndarray before its memory': rows({ logits: ndarray(good, [ROWS, CLASSES], [4, 1], -1) }),
  }),
];

const gone = detached(values());
const shared = resizable(Float32Array, COUNT, SharedArrayBuffer);

const memory: Refusal[] = [
  ...group('logits', onHost, {
    'logits that are detached': rows({ logits: gone }),
    'no logits, which are detached': rows({ logits: gone, labels: [] }),
    'logits in a growable shared buffer': rows({ logits: shared }),
  }),
  ...group(
    'logits',
    { ...onHost, received: 'a resizable buffer' },
    { 'logits in a resizable buffer': rows({ logits: resizable(Float32Array, COUNT) }) },
  ),
  ...group('logits.data', onHost, {
    'a tensor in a resizable buffer': rows({ logits: tensor(resizable(Float32Array, COUNT)) }),
  }),
  ...group('logits[1].data', onHost, {
    'a level of no rows that is detached': rows({
      logits: [tensor(), tensor(gone, { shape: [0, CLASSES] })],
      labels: [[1, 0, 3], []],
      grad: undefined,
    }),
  }),
];

export const LOGITS: readonly Refusal[] = [
  ...kinds,
  ...advice,
  ...ofLevels,
  ...shapes,
  ...views,
  ...memory,
];
