/**
 * One training step on TensorFlow.js with its wasm backend, once with this package's loss and once
 * with the same loss composed of TensorFlow.js operations; a program of its own, which prints the
 * times as JSON. The step is that of examples/long-tailed-detection: two dense layers from the
 * features of 2,048 cells to 120 classes, gradient descent with momentum. It is written out here
 * because the example is an ES module with packages of its own. The loss is timed by itself, too: value,
 * gradient and statistics.
 */
import { startTensorFlow, type Tensor, type TensorFlow } from './contenders/tensorflow';
import { messageOf } from './host/message';
import { microsecondsOf, race } from './measure/race';
import { ratioOf, spreadOf } from './measure/statistics';
import type { Figure, Spread } from './report/report';
import { composedTrainingLoss, nativeLoss, type TrainingLoss } from './training/losses';
import { trainerOf } from './training/trainer';
import { makeProblem, mixed } from './workload/workload';

const shape = { rows: 2048, features: 144, hidden: 128, classes: 120 };
/** Both train the same network on the same cells: their losses must not part. */
const stepTolerance = 1e-4;
/** At logits as low as those of a workload the wasm backend's softplus has fewer digits. */
const lossTolerance = 1e-3;

async function main(steps: number): Promise<void> {
  const tf = await startTensorFlow('wasm');
  const lossesFor = [
    (labels: Int32Array) => nativeLoss(tf, labels, shape.classes),
    (labels: Int32Array) => composedTrainingLoss(tf, labels, shape.classes),
  ];
  const trainers = lossesFor.map((lossFor) => trainerOf(tf, shape, lossFor));
  const step = await compare(trainers, steps, stepTolerance);
  const { logits, labels } = makeProblem(mixed(shape.rows, shape.classes));
  const x = tf.tensor(logits, [shape.rows, shape.classes]);
  const losses = lossesFor.map((lossFor) => lossFor(labels));
  const alone = await compare(
    losses.map((loss) => () => differentiate(tf, loss, x)),
    steps,
    lossTolerance,
  );
  const figures = [
    figure('training-step-native', 'step with the loss of this package', step.native),
    figure('training-step-composed', 'step with the loss of TensorFlow.js', step.composed),
    {
      ...frame('training-step', 'its time over that of this package', ratioOfTimes(step)),
      unit: 'x',
    },
    figure('tfjs-loss-native', 'tfLoss and its gradient', alone.native),
    figure('tfjs-loss-composed', 'loss and gradient of TensorFlow.js wasm', alone.composed),
    {
      ...frame('tfjs-loss', 'TensorFlow.js wasm over tfLoss', ratioOfTimes(alone)),
      ...{ unit: 'x', target: { bound: 'at least', value: 20 } },
    },
  ];
  console.log(JSON.stringify(figures));
}

interface Times {
  readonly native: readonly number[];
  readonly composed: readonly number[];
}

/** Times two ways to compute the same losses, in turn; in microseconds. */
async function compare(
  ways: readonly (() => number)[],
  steps: number,
  tolerance: number,
): Promise<Times> {
  const lanes = ways.map((way) => ({ way, losses: [] as number[] }));
  const times = await race(lanes, steps, ({ way, losses }) =>
    microsecondsOf(() => losses.push(way())),
  );
  const [ours, theirs] = lanes.map(({ losses }) => losses);
  ours!.forEach((loss, i) => {
    const other = theirs![i]!;
    if (!(Math.abs(loss - other) <= tolerance * Math.abs(other))) {
      throw new Error(`the losses differ: ${loss} and ${other}`);
    }
  });
  return { native: times.get(lanes[0]!)!, composed: times.get(lanes[1]!)! };
}

/** Loss, gradient and statistics. Returns the loss, as training reads it. */
function differentiate(tf: TensorFlow, loss: TrainingLoss, logits: Tensor): number {
  const { value, grad } = tf.valueAndGrad(loss)(logits);
  const [read] = value.dataSync();
  value.dispose();
  grad.dispose();
  return read!;
}

function ratioOfTimes({ native, composed }: Times): Spread {
  return ratioOf(composed, native);
}

function figure(id: string, description: string, times: readonly number[]): Figure {
  return { ...frame(id, description, spreadOf(times)), unit: 'us' };
}

function frame(id: string, description: string, value: Spread): Omit<Figure, 'unit'> {
  const { rows, classes } = shape;
  return { id, workload: `${rows} x ${classes}`, description, value, target: null };
}

main(process.argv.includes('--quick') ? 10 : 100).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
