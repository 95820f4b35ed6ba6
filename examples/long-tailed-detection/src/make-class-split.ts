/**
 * Writes assets/class-split.json anew, for another set of vendors or names. The backbone must be
 * pretrained again afterwards.
 *
 *   npm run split
 */
import { makeClassSplit } from './data/class-split.ts';
import { sharedNames } from './data/vendors.ts';
import { writeJson } from './io/files.ts';
import { CLASS_SPLIT_FILE } from './paths.ts';

const split = makeClassSplit(sharedNames());
writeJson(CLASS_SPLIT_FILE, split);
for (const [list, names] of Object.entries(split)) console.log(`${list}: ${names.length} names`);
