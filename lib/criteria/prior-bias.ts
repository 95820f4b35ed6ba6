import { numberOption } from '../validation';

/**
 * The bias with which a sigmoid classifier starts at probability `p` for every class:
 * -log((1 - p) / p) (Lin et al., ICCV 2017, section 4.1). `p` in (0, 1), default 0.01; the official
 * EFL configurations use 0.001.
 */
export function priorBias(p = 0.01): number {
  numberOption('p', p, 0.01, 'a number in (0, 1)', (value) => value > 0 && value < 1);
  return Math.log(p) - Math.log1p(-p);
}
