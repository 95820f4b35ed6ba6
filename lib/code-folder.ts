/**
 * The folder that this code runs from: the root of lib/ or dist/, or, bundled, that of the bundle.
 * `code-folder.mts` stands in for this file in the ES modules.
 */
export const codeFolder = __dirname;
