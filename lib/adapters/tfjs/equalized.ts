import type { Criterion } from '../../criteria/criterion';
import { EqualizedCriterion } from '../../criteria/equalized-criterion';

/** The criterion, if it is one with a state. */
export function equalized(criterion: Criterion): EqualizedCriterion | undefined {
  return criterion instanceof EqualizedCriterion ? (criterion as EqualizedCriterion) : undefined;
}
