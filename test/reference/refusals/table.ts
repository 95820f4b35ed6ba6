/**
 * Every bad argument of a call: what the error says, and which calls refuse it. `test/unit` has the
 * calls on the host and `test/device` those on a device.
 */
import { GRADIENTS } from './gradients';
import { LABELS } from './labels';
import { LOGITS } from './logits';
import { OPTIONS } from './options';
import type { Refusal } from './refusal';
import { SELECTION } from './selection';
import { TARGETS } from './targets';

export const REFUSALS: readonly Refusal[] = [
  ...LOGITS,
  ...LABELS,
  ...TARGETS,
  ...OPTIONS,
  ...GRADIENTS,
  ...SELECTION,
];
