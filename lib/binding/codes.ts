import type { AddonCodes } from './addon';

/**
 * The codes of the addon, which fills them in when it is loaded (`addon().codes` is this object).
 * Calls read them here: the compiler of V8 takes the parts of an object that a module holds for
 * constants, but not those of one that a function returns, nor those of one that native code made.
 */
export const codes = {} as AddonCodes;
