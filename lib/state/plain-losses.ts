/**
 * The losses that have an equalized form with a state: how core and files call their elements, and
 * what they are called in words.
 */
export const plainLosses: ReadonlyMap<string, string> = new Map([
  ['focal', 'Focal Loss'],
  ['qualityFocal', 'Quality Focal Loss'],
  ['crossEntropy', 'cross-entropy'],
  ['varifocal', 'Varifocal Loss'],
]);
