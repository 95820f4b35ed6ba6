/** Options of a call that it does not have, or of a wrong value. */
import {
  ALL_CALLS,
  BACKWARD,
  COUNT,
  eachOption,
  group,
  HOST_LABELS,
  level,
  levels,
  NOT_FINITE,
  NOT_NUMBERS,
  option,
  ROWS,
  rows,
  tensor,
  UPLOADED,
  values,
} from './refusal';
import type { Given, Refusal, Scope } from './refusal';

const inLossCalls: Scope = { device: UPLOADED };
const inAll: Scope = { methods: ALL_CALLS, device: UPLOADED };
const inBackward: Scope = { methods: BACKWARD, device: UPLOADED };
const scaled: Scope = { methods: ['forwardBackward', 'collectGrad'], device: UPLOADED };
const others: Scope = { methods: ['forward', 'collectGrad'], device: UPLOADED };
const ofReduction = (scope: Scope, reduction: string): Scope => ({
  ...scope,
  options: { reduction },
});

const numbers: Refusal[] = [
  ...eachOption('normalizer', inLossCalls, [0, -0, -1, 'positive', ...NOT_FINITE, ...NOT_NUMBERS]),
  ...eachOption('normalizer', { device: HOST_LABELS }, [new Float32Array(1)]),
  ...eachOption('normalizer', ofReduction(inLossCalls, 'mean'), [1, 2, 'positives']),
  ...eachOption('normalizer', ofReduction(inLossCalls, 'none'), [1, 2, 'positives']),
  ...eachOption('gradOutput', inBackward, [...NOT_FINITE, ...NOT_NUMBERS, values()]),
  ...eachOption('gradOutput', ofReduction(inBackward, 'mean'), [values()]),
  ...eachOption(
    'gradOutput',
    ofReduction(inBackward, 'none'),
    [COUNT - 1, ROWS, 0].map((length) => values(length)),
  ),
  ...group(
    'gradOutput',
    { ...inBackward, options: { lossWeight: 1e30 } },
    {
      'factors whose product is not finite': option('gradOutput', 1e30),
    },
  ),
  ...eachOption('lossScale', scaled, [0, -0, ...NOT_FINITE, ...NOT_NUMBERS]),
  ...eachOption('collect', inBackward, [0, 1, 'true', null, {}]),
];

const names: Refusal[] = [
  ...eachOption('normaliser', inAll, [1]),
  ...eachOption('stream', inAll, [{}]),
  ...eachOption('scale', inAll, [2]),
  ...eachOption('gradOutput', others, [1]),
  ...[null, 3, 'sum', []].flatMap((call) =>
    group('call', inAll, {
      [`${JSON.stringify(call)} in place of options`]: rows({ grad: undefined, call }),
    }),
  ),
];

const eachOfMaps = (name: string, list: readonly unknown[]): Refusal[] =>
  list.flatMap((value) =>
    group(name, inAll, {
      [`maps with ${name} ${String(value)}`]: levels({ call: { [name]: value } }),
    }),
  );

const formats: Refusal[] = [
  ...eachOption('layout', { methods: ALL_CALLS }, ['NHWC', 'NCHW']),
  ...eachOption('layout', inAll, ['HWC', 'NWHC', 'columns', '', null, 0]),
  ...eachOption('anchors', inAll, [2]),
  ...eachOption('channelOrder', inAll, ['class-major']),
  ...group('anchors', inAll, {
    'rows of no anchor': rows({ call: { layout: 'rows', anchors: 0 } }),
  }),
  ...eachOfMaps('anchors', [0, 1.5, '3', 2 ** 31]),
  ...eachOfMaps('channelOrder', ['anchor', 'minor', null]),
];

const inAsync: Scope = { methods: ALL_CALLS, onlyAsync: true };
const inBackwardAsync: Scope = { methods: BACKWARD, onlyAsync: true };
const transferred = values();
const shared = new Float32Array(new SharedArrayBuffer(4 * COUNT));
const noSignal = { aborted: false, addEventListener: () => undefined };

/** A call of two levels, the second the last rows of the first. */
function sharing(count: number): Given {
  const whole = values();
  const part = tensor(whole.subarray(4 * (ROWS - count)), { shape: [count, 4] });
  const labels = [Int32Array.of(1, 0, 2), new Int32Array(count)];
  return { logits: [tensor(whole), part], labels, call: { transfer: true } };
}

const map = level(2);

const asynchronous: Refusal[] = [
  ...eachOption('signal', { ...inAsync, device: UPLOADED }, [3, {}, noSignal]),
  ...eachOption('transfer', inAsync, [1]),
  ...group(
    'normalizer',
    { onlyAsync: true },
    {
      'transfer with a bad normalizer': rows({ call: { transfer: true, normalizer: -1 } }),
    },
  ),
  ...group('transfer', inAsync, {
    'transfer of shared memory': rows({ logits: shared, call: { transfer: true } }),
  }),
  ...group('transfer', inBackwardAsync, {
    'transfer of the logits that the gradient is written over': rows({
      logits: transferred,
      grad: transferred,
      call: { transfer: true },
    }),
    'transfer of levels with a gradient in one of their buffers': {
      logits: [level(1), map],
      labels: [new Int32Array(6), new Int32Array(12)],
      grad: [level(1), map],
      call: { layout: 'NHWC', anchors: 3, transfer: true },
    },
    'transfer of levels that share all rows': sharing(ROWS),
    'transfer of levels that share some rows': sharing(2),
  }),
];

export const OPTIONS: readonly Refusal[] = [...numbers, ...names, ...formats, ...asynchronous];
