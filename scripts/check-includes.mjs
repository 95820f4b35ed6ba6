// Refuses the #include lines of native and bench/native that architecture.json does not allow.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mayUse, nativeSources, noCircle, roomOf, ruleOf } from './architecture.mjs';
import { root } from './platform.mjs';

/** The CUDA model of test/native, which takes the place of CUDA's headers in tests. */
const modelOfCuda = /^cuda_(runtime_)?on_host\.h$/;

/** The files that the #include lines of a file with quotation marks name. */
function includesOf(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"]*)"/gm)]
    .filter(([, name]) => !modelOfCuda.test(name))
    .map(([, name]) => path.posix.join(path.posix.dirname(file), name));
}

const files = nativeSources();
const includes = new Map(files.map((file) => [file, includesOf(file)]));

/** What is wrong with an #include line, if something is. */
function faultOf(file, included) {
  if (!existsSync(path.join(root, included))) return 'a file that is included exists';
  // check-rooms.mjs refuses a file without a room.
  const room = roomOf(file);
  return room === undefined || mayUse(room, included) ? undefined : ruleOf(room);
}

/** The circles of #include lines, each as its files from one to the same again. */
function circles() {
  const found = [];
  const done = new Set();
  const visit = (file, way) => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file]);
    if (done.has(file)) return;
    done.add(file);
    for (const next of includes.get(file) ?? []) visit(next, [...way, file]);
  };
  for (const file of files) visit(file, []);
  return found;
}

const faults = [
  ...files.flatMap((file) =>
    includes.get(file).map((included) => [faultOf(file, included), [file, included]]),
  ),
  ...circles().map((circle) => [noCircle, circle]),
].filter(([rule]) => rule !== undefined);
for (const [rule, way] of faults) console.error(`error ${rule}: ${way.join(' → ')}`);
process.exit(faults.length > 0 ? 1 : 0);
