import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import { checkOptions, type CheckedOptions, type TfLossOptions } from './check-options';
import { checkTensors } from './check-tensors';
import { composedLoss } from './composed-loss';
import { LossCall } from './loss-call';
import { hostBackends } from './tensor-memory';

/** A loss as `model.compile`, optimizers and `tf.grads` take it: a scalar. */
export type TfLoss = (labels: tf.Tensor, logits: tf.Tensor) => tf.Scalar;

/** The same with one loss for each row: of the shape of the logits, without the classes. */
export type TfRowLoss = (labels: tf.Tensor, logits: tf.Tensor) => tf.Tensor;

/**
 * A criterion as a loss of TensorFlow.js: `model.compile({ loss: tfLoss(criterion) })`, or a scalar for
 * `optimizer.minimize`, `tf.variableGrads` and `tf.grads`. The last layer has to give logits: it has no
 * activation.
 *
 * Logits are float32 [.., C]. Labels are int32 [..] or [.., 1], one label for each row as the
 * criterion's `background` and `ignoreIndex` have them, or dense targets in [0, 1] of the shape of the logits:
 * one-hot, multi-hot or soft, float32 (int32 and bool are cast). `fit()` needs dense ones. Of the
 * quality losses dense targets are the qualities; they take no int32 labels here.
 *
 * The statistics of an equalized criterion enter its state when the gradient is taken, with whatever
 * comes from upstream in it; `evaluate`, validation and `predict` leave the state alone. All losses
 * computed before a gradient is taken use the same g. Labels are constants: no gradient flows into
 * what they were computed from. The gradient itself cannot be differentiated.
 *
 * With `perSample` there is one loss for each row, the sum of its elements over the normalizer, of the
 * shape of the logits without the classes. `fit()` takes the mean of them, and its `classWeight` weighs
 * each: with a scalar it would multiply the whole batch by its mean weight, statistics included.
 *
 * On the backends cpu and wasm the addon works on the tensors' own memory, on tensorflow on a copy of
 * logits and labels. On any other backend the loss is composed of TensorFlow.js operations, which a
 * process warning says once; one that cannot be composed is refused there.
 *
 * @throws {@link EflArgumentError} for a bad option, or a criterion whose reduction is `'none'` without
 * `perSample` or another one with it; the loss throws it for tensors of a wrong shape or type, and for
 * bad values in them.
 */
export function tfLoss(
  criterion: Criterion,
  options: TfLossOptions & { readonly perSample: true },
): TfRowLoss;
export function tfLoss(criterion: Criterion, options?: TfLossOptions): TfLoss;
export function tfLoss(criterion: Criterion, options?: TfLossOptions): TfRowLoss {
  const checked = checkOptions(criterion, options);
  const notice = checked.perSample || !checked.warnOfFactor ? undefined : noticeOfFactor();
  return (labels, logits) =>
    tf.tidy(() => {
      const form = checkTensors(criterion, labels, logits);
      const given =
        form === 'labels' || labels.dtype === 'float32' ? labels : tf.cast(labels, 'float32');
      return isHostBackend()
        ? nativeLoss(criterion, checked, given, logits, notice)
        : composedLoss(criterion, checked, given, logits, form, notice);
    });
}

function nativeLoss(
  criterion: Criterion,
  options: CheckedOptions,
  labels: tf.Tensor,
  logits: tf.Tensor,
  notice: ((factor: number) => void) | undefined,
): tf.Tensor {
  const call = new LossCall(criterion, options);
  const operation = tf.customGrad((...args) => {
    const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
    save([x, labels]);
    return {
      value: call.loss(x, labels),
      gradFunc: (dy, [savedLogits, savedLabels]) => {
        const factors = dy.dataSync();
        notice?.(factors[0]!);
        return call.gradient(savedLogits!, savedLabels!, factors);
      },
    };
  });
  return operation(logits);
}

/** Warns the first time that the gradient of a loss has a factor in it. */
function noticeOfFactor(): (factor: number) => void {
  let warned = false;
  return (factor) => {
    // Means are rounded.
    if (warned || Math.abs(factor - 1) < 1e-6) return;
    warned = true;
    process.emitWarning(
      `tfLoss: this loss is multiplied by ${Number(factor.toPrecision(6))}, and so are its gradient and its statistics. ` +
        'If by classWeight of fit(), which puts the mean weight of the batch there: take ' +
        "{ perSample: true } and reduction 'none'. If the factor is your own: { warnOfFactor: false }.",
      { code: 'EFL_TFJS_SCALED' },
    );
  };
}

const warned = new Set<string>();

function isHostBackend(): boolean {
  tf.backend(); // starts the default one where none has been chosen yet
  const name = tf.getBackend();
  if (hostBackends.includes(name)) return true;
  if (!warned.has(name)) {
    warned.add(name);
    const reason = 'the addon cannot reach its tensors; the loss is composed of its operations';
    process.emitWarning(`TensorFlow.js backend '${name}': ${reason}`, {
      code: 'EFL_TFJS_COMPOSED',
    });
  }
  return false;
}
