import { reject } from '../validation';
import { checkTensor, listed, type CheckedTensor, type TensorLike } from './tensor';

/** Logits in layout `'rows'`: rows x classes, class last, bare or as a tensor of any rank. */
export type Logits = TensorLike;

/** Logits whose last dimension are the classes. */
export function checkLogits(argument: string, logits: unknown, numClasses: number): CheckedTensor {
  const tensor = checkTensor(argument, logits);
  if (tensor.shape && tensor.shape.at(-1) !== numClasses) {
    const expected = `numClasses = ${numClasses} as the last dimension`;
    reject(`${argument}.shape`, expected, listed(tensor.shape));
  }
  if (tensor.data.length % numClasses !== 0) {
    reject(argument, `rows x numClasses values (numClasses = ${numClasses})`, tensor.data);
  }
  return tensor;
}
