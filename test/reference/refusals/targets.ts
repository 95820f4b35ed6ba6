/** Dense targets and qualities that are none, are too many or too few, or have a bad value. */
import { FAMILY, takesQuality } from '../family';
import {
  BOTH,
  CLASSES,
  COUNT,
  eachPart,
  group,
  half,
  HOST_LABELS,
  LEVEL_LABELS,
  levels,
  ROWS,
  rows,
  show,
  tensor,
  UPLOADED,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const uploaded: Scope = { device: UPLOADED };
const anywhere: Scope = { device: BOTH };
const onlyCollect: Scope = { methods: ['collectGrad'], device: BOTH };
const dense = values().fill(0.5);
const tensors = [tensor(), tensor()];
const turned = tensor(dense, { shape: [CLASSES, ROWS] });

const counts: Refusal[] = [
  ...eachPart('labels', 'labels', uploaded, [new Float32Array(7), new Float32Array(ROWS)]),
  ...eachPart('labels', 'labels', {}, [new Float64Array(COUNT)]),
  ...eachPart('labels', 'labels', { ...uploaded, expected: /float32 values/ }, [
    half('float16'),
    half('bfloat16'),
  ]),
  ...eachPart('labels', 'labels', onlyCollect, [dense, tensor(dense)]),
  ...group('labels.shape', uploaded, {
    'targets of another shape': rows({ logits: tensor(), labels: turned }),
  }),
  ...group(
    'labels',
    {},
    {
      'targets in float16 as the logits are': rows({
        logits: half('float16'),
        labels: half('float16'),
      }),
    },
  ),
  ...group('labels', anywhere, {
    'one array of targets for levels': { logits: tensors, labels: dense },
    'targets of too few levels': { logits: tensors, labels: [dense] },
  }),
  ...group('labels[0]', uploaded, {
    'too few targets of a level': { logits: [tensor()], labels: [dense.subarray(1)] },
  }),
  ...group('labels[1]', uploaded, {
    'targets of one level and labels of another': { logits: tensors, labels: [dense, [0, 0, 0]] },
  }),
];

const ofLevels = LEVEL_LABELS.map(({ length }) => new Float32Array(CLASSES * length));
ofLevels[2]![5] = 1.5;

const bad: Refusal[] = [
  ...[-0.001, -1e-6, 1.001, NaN, Infinity].flatMap((value) =>
    group(
      'targets[6]',
      { losses: FAMILY, device: UPLOADED, isValue: true },
      {
        [`a target of ${value}`]: rows({ labels: new Float32Array(COUNT).fill(value, 6, 7) }),
      },
    ),
  ),
  ...group(
    'targets[2][5]',
    { ...uploaded, isValue: true },
    {
      'a bad target of a level': levels({ labels: ofLevels }),
    },
  ),
];

const rated = FAMILY.filter(takesQuality);
const unrated = FAMILY.filter((one) => !takesQuality(one));

/** A call of rows with a class. */
const withQuality = (quality: unknown): Given =>
  rows({ labels: Int32Array.of(1, 2, 3), call: { quality } });

function eachQuality(argument: string, scope: Scope, list: readonly unknown[]): Refusal[] {
  return list.flatMap((quality) =>
    group(
      argument,
      { losses: rated, ...scope },
      {
        [`quality ${show(quality)}`]: withQuality(quality),
      },
    ),
  );
}

const found: Scope = { device: HOST_LABELS, isValue: true };
const ofHost: Scope = { device: HOST_LABELS };
const classes = LEVEL_LABELS.map((labels) => labels.map(() => 1));
const ofClasses = classes.map((labels, i) =>
  new Float32Array(labels.length).fill(i ? 0 : NaN, 4, 5),
);
const short = tensor(values(CLASSES), { shape: [1, CLASSES] });
const shortLists = { logits: [short, tensor()], labels: [[1], [0, 1, 0]] };

const qualities: Refusal[] = [
  ...eachQuality('quality', ofHost, [undefined, null, 0.5, [0.5], [[0.5, 0.5, 1]]]),
  ...eachQuality('quality', ofHost, [new Float64Array(ROWS)]),
  ...eachQuality('quality', anywhere, [new Float32Array(2), new Float32Array(4)]),
  ...eachQuality('quality[0]', ofHost, [['1', '1', '1']]),
  ...eachQuality('quality[1]', ofHost, [[0.5, '1', 1]]),
  ...eachQuality('quality[0]', found, [Float32Array.of(-0.5, 1, 1)]),
  ...eachQuality('quality[1]', found, [[0.5, 1.5, 1]]),
  ...[-0.001, 1.001, NaN, Infinity].flatMap((value) =>
    eachQuality('quality[2]', found, [Float32Array.of(1, 1, value)]),
  ),
  ...group(
    'quality[0][4]',
    { losses: rated, device: BOTH, isValue: true },
    {
      'a bad quality of a level': levels({ labels: classes, call: { quality: ofClasses } }),
    },
  ),
  ...group(
    'quality[1][1]',
    { losses: rated, ...found },
    {
      'a bad quality in lists': { ...shortLists, call: { quality: [[0.5], [0.5, 2, 0]] } },
    },
  ),
  ...group(
    'quality',
    { losses: rated, ...uploaded },
    {
      'a quality beside targets': rows({ labels: dense, call: { quality: [1, 1, 1] } }),
    },
  ),
  ...group(
    'quality',
    { losses: unrated, ...anywhere },
    {
      'a quality where the loss has none': withQuality([1, 1, 1]),
    },
  ),
  ...group('quality', onlyCollect, { 'a quality of gradients': withQuality([1, 1, 1]) }),
];

export const TARGETS: readonly Refusal[] = [...counts, ...bad, ...qualities];
