import type { AddonCodes } from './addon';

/**
 * The codes of the addon, filled in when it is loaded: `addon().codes` is this object. Calls read
 * them here, because V8 treats the properties of an object that a module holds as constants. It does
 * not do so for an object that a function returns, or that native code made.
 */
export const codes = {} as AddonCodes;
