// What a thread does with a block of the batch.
import { classes, multiply, multiplyBack, rowsPerBlock } from './task.mjs';

const none = new Float64Array(classes);

/**
 * Loss and statistics of a block. The criterion starts from the ratios of all threads and from sums
 * of 0, so that its sums afterwards are those of this block alone.
 */
export function computeBlock(criterion, task, block, { ratio, normalizer }) {
  multiply(task, block);
  const [first, last] = [block * rowsPerBlock, (block + 1) * rowsPerBlock];
  criterion.loadStateDict({ pos_grad: none, neg_grad: none, pos_neg: ratio });
  const logits = task.logits.subarray(first * classes, last * classes);
  const grad = task.grad.subarray(first * classes, last * classes);
  const { loss } = criterion.forwardBackward(logits, task.labels.subarray(first, last), {
    grad,
    normalizer,
  });
  multiplyBack(task, block);
  return { block, loss, statistics: criterion.statistics };
}
