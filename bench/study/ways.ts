/** Other ways to call the package than that of the comparison: for the studies only. */
import { FocalLoss, version } from '../..';
import type { Contender, Solver, Task } from '../contenders/contender';
import { newCriterion } from '../workload/criterion';
import { alpha, type Problem } from '../workload/workload';

/** They are not checked, since `ours` is, with the same kernels. */
const way = (id: string, name: string, prepare: (problem: Problem) => Task): Contender => ({
  ...{ id, name, family: 'ours', threads: 1 },
  load: (): Solver => ({ version, prepare }),
});

/** One gamma for all classes, which is all that plain Focal Loss has. */
function focalLoss({ classes, logits, labels, gamma }: Problem): Task {
  const criterion = new FocalLoss({ numClasses: classes, gamma: gamma[0]!, alpha });
  const grad = new Float32Array(logits.length);
  return { solve: () => void criterion.forwardBackward(logits, labels, { grad }) };
}

function newGradient({ classes, logits, labels }: Problem): Task {
  const criterion = newCriterion(classes);
  return { solve: () => void criterion.forwardBackward(logits, labels) };
}

function keptGradient({ classes, logits, labels }: Problem): Task {
  const criterion = newCriterion(classes);
  const grad = new Float32Array(logits.length);
  return { solve: () => void criterion.forwardBackward(logits, labels, { grad }) };
}

function overLogits({ classes, logits, labels }: Problem): Task {
  const criterion = newCriterion(classes);
  return { solve: () => void criterion.forwardBackward(logits, labels, { grad: logits }) };
}

function withoutGradient({ classes, logits, labels }: Problem): Task {
  const criterion = newCriterion(classes);
  return { solve: () => void criterion.forward(logits, labels) };
}

function awaited({ classes, logits, labels }: Problem): Task {
  const criterion = newCriterion(classes);
  const grad = new Float32Array(logits.length);
  return {
    solve: async () => {
      await criterion.forwardBackwardAsync(logits, labels, { grad });
    },
  };
}

export const contenders: readonly Contender[] = [
  way('focal-loss', 'Focal Loss', focalLoss),
  way('new-gradient', 'a new gradient in every call', newGradient),
  way('awaited', 'asynchronous call, gradient kept', awaited),
  way('kept-gradient', 'gradient kept from call to call', keptGradient),
  way('over-logits', 'gradient over the logits', overLogits),
  way('without-gradient', 'loss only', withoutGradient),
];
