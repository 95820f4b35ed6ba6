/** As in package.json, which a program that was bundled has lost: a test compares them. */
export const packageName = 'equalized-focal-loss';

/** The package with the library for GPUs, of the same version. */
export const cudaPackageName = 'equalized-focal-loss-cuda';

/** The version of this package, as in its package.json. */
export const version = '0.1.0';
