import { fileURLToPath } from 'node:url';

const inExample = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const BACKBONE_FILE = inExample('assets/backbone.safetensors');
export const CLASS_SPLIT_FILE = inExample('assets/class-split.json');
export const EXPECTED_FILE = inExample('assets/expected.json');
export const TRAINING_LENGTH_FILE = inExample('assets/training-length.json');
export const CACHE_DIRECTORY = inExample('.cache');
export const PACKAGE_FILE = inExample('package.json');
/** An address, because as a path it would not pass through tsx. */
export const WORKER_MODULE = new URL('workers/worker-entry.mjs', import.meta.url).href;

/** Where the user typed the command: npm changes the working directory and keeps this in INIT_CWD. */
export function callerDirectory(): string {
  return process.env['INIT_CWD'] ?? process.cwd();
}
