import { reject } from '../validation';
import { tensorData, tensorShape, type TensorLike } from './tensor';

/** Logits in layout `'rows'`: rows x classes, class last, bare or as a tensor of any rank. */
export type Logits = TensorLike;

/** The values of logits whose last dimension are the classes. */
export function logitsData(argument: string, logits: Logits, numClasses: number): Float32Array {
  const data = tensorData(argument, logits);
  const shape = tensorShape(logits);
  if (shape && shape.at(-1) !== numClasses) {
    reject(
      `${argument}.shape`,
      `numClasses = ${numClasses} as the last dimension`,
      shape.join(' x '),
    );
  }
  if (data.length % numClasses !== 0) {
    reject(argument, `rows x numClasses values (numClasses = ${numClasses})`, data);
  }
  return data;
}
