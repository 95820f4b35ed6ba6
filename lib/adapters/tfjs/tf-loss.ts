import * as tf from '@tensorflow/tfjs-core';
import { checkNormalizer } from '../../criteria/call-scalars';
import { Criterion } from '../../criteria/criterion';
import { booleanOption, knownOptions, reject } from '../../validation';
import { checkTensors, type LabelForm } from './check-tensors';
import { composedLoss } from './composed-loss';
import { kernelName, registerEqualizedFocalLoss } from './kernel';
import type { TfLossOptions } from './loss-call';
import { hostBackends } from './tensor-memory';

/** A loss as `model.compile`, optimizers and `tf.grads` take it. */
export type TfLoss = (labels: tf.Tensor, logits: tf.Tensor) => tf.Scalar;

/**
 * A criterion as a loss of TensorFlow.js: `model.compile({ loss: tfLoss(criterion) })`, or a scalar for
 * `optimizer.minimize`, `tf.variableGrads` and `tf.grads`. The last layer has to give logits: it has no
 * activation.
 *
 * Logits are float32 [.., C]. Labels are int32 [..], one label for each row as the criterion's
 * `background` and `ignoreIndex` have them, or dense targets in [0, 1] of the shape of the logits:
 * one-hot, multi-hot or soft, float32 (int32 and bool are cast). `fit()` needs dense ones. Of the
 * quality losses dense targets are the qualities; they take no int32 labels here.
 *
 * The statistics of an equalized criterion enter its state when the gradient is taken, with whatever
 * comes from upstream in it; `evaluate`, validation and `predict` leave the state alone. All losses
 * computed before a gradient is taken use the same g. The gradient itself cannot be differentiated.
 *
 * On the backends cpu and wasm the addon works on the tensors' own memory, on tensorflow on a copy of
 * logits and labels. On any other backend the loss is composed of TensorFlow.js operations, which a
 * process warning says once.
 *
 * @throws {@link EflArgumentError} for a criterion with reduction `'none'` or a bad option; the loss
 * throws it for tensors of a wrong shape or type, and for bad values in them.
 */
export function tfLoss(criterion: Criterion, options?: TfLossOptions): TfLoss {
  const checked = checkOptions(criterion, options);
  registerEqualizedFocalLoss();
  return (labels, logits) =>
    tf.tidy<tf.Scalar>(() => {
      const form = checkTensors(criterion, labels, logits);
      if (form === 'labels') rejectLabelsWithoutQuality(criterion);
      const given =
        form === 'labels' || labels.dtype === 'float32' ? labels : tf.cast(labels, 'float32');
      return isHostBackend()
        ? tf
            .engine()
            .runKernel(kernelName, { logits, labels: given }, attributes(criterion, checked))
        : composedLoss(criterion, checked, given, logits, form);
    });
}

function checkOptions(criterion: Criterion, options: TfLossOptions | undefined): TfLossOptions {
  if (!(criterion instanceof Criterion)) {
    reject('criterion', 'a criterion of equalized-focal-loss', criterion);
  }
  const { reduction } = criterion.options;
  if (reduction === 'none') reject('criterion', "reduction 'sum' or 'mean'", reduction);
  const given = knownOptions('options', options, ['normalizer', 'collect']);
  checkNormalizer(given.normalizer, reduction);
  return { ...given, collect: booleanOption('collect', given.collect, true) };
}

/** A new object for each call: the kernel's gradient finds its call by it. */
function attributes(criterion: Criterion, options: TfLossOptions): tf.NamedAttrMap {
  return { criterion, ...options } as unknown as tf.NamedAttrMap;
}

function rejectLabelsWithoutQuality({ definition }: Criterion): void {
  if (definition.loss !== 'qualityFocal') return;
  reject('labels', 'qualities of the shape of the logits', 'labels' satisfies LabelForm);
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
