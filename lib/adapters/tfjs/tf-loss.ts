import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import { checkOptions, type TfLossOptions } from './check-options';
import { checkTensors } from './check-tensors';
import { composedLoss } from './composed-loss';
import { LossCall } from './loss-call';
import { hostBackends } from './tensor-memory';

/** A loss as `model.compile`, optimizers and `tf.grads` take it. */
export type TfLoss = (labels: tf.Tensor, logits: tf.Tensor) => tf.Scalar;

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
 * On the backends cpu and wasm the addon works on the tensors' own memory, on tensorflow on a copy of
 * logits and labels. On any other backend the loss is composed of TensorFlow.js operations, which a
 * process warning says once; one that cannot be composed is refused there.
 *
 * @throws {@link EflArgumentError} for a criterion with reduction `'none'` or a bad option; the loss
 * throws it for tensors of a wrong shape or type, and for bad values in them.
 */
export function tfLoss(criterion: Criterion, options?: TfLossOptions): TfLoss {
  const checked = checkOptions(criterion, options);
  return (labels, logits) =>
    tf.tidy<tf.Scalar>(() => {
      const form = checkTensors(criterion, labels, logits);
      const given =
        form === 'labels' || labels.dtype === 'float32' ? labels : tf.cast(labels, 'float32');
      return isHostBackend()
        ? nativeLoss(new LossCall(criterion, checked), given, logits)
        : composedLoss(criterion, checked, given, logits, form);
    });
}

function nativeLoss(call: LossCall, labels: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  const operation = tf.customGrad<tf.Scalar>((...args) => {
    const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
    save([x, labels]);
    return {
      value: tf.scalar(call.loss(x, labels)),
      gradFunc: (dy, [savedLogits, savedLabels]) =>
        call.gradient(savedLogits!, savedLabels!, dy.dataSync()[0]!),
    };
  });
  return operation(logits);
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
