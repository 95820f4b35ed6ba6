// The rooms of architecture.json, with the files that each may use.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow } from './fingerprint.mjs';

const table = JSON.parse(readFileSync(new URL('../architecture.json', import.meta.url), 'utf8'));

/** Whether a file is this one, or lies in this folder. */
const isIn = (file, folder) => file === folder || file.startsWith(`${folder}/`);

/** The files of an entry of `mayUse`: those of a room, of the rooms in a folder, or a single one. */
function filesOf(entry, above) {
  const room = above.find(({ name }) => name === entry);
  if (room !== undefined) return room.files;
  const files = above.flatMap((other) => other.files);
  const inFolder = files.filter((file) => isIn(file, entry));
  if (inFolder.length > 0) return inFolder;
  return files.some((file) => isIn(entry, file)) ? [entry] : [];
}

/**
 * The rooms, in the order of the table. A room may use only what stands above it, so that rooms
 * cannot use each other in a circle.
 */
function readRooms() {
  const rooms = [];
  for (const [name, { files = [name], mayUse }] of Object.entries(table)) {
    const used = mayUse.map((entry) => filesOf(entry, rooms));
    const unknown = mayUse.find((_, i) => used[i].length === 0);
    if (unknown !== undefined)
      throw new Error(`architecture.json: ${name} may use ${unknown}, which is no room above it`);
    rooms.push({ name, files, mayUse: used.flat(), inWords: mayUse.join(', ') || 'nothing' });
  }
  return rooms;
}

export const rooms = readRooms();

/** What is said where a file of the room uses one that it may not. */
export const ruleOf = ({ name, inWords }) => `${name} may use ${inWords}, and no more`;

export const noCircle = 'files do not use each other in a circle';

/** The room of a file, or undefined. */
export const roomOf = (file) => rooms.find(({ files }) => files.some((own) => isIn(file, own)));

/** Whether a file of the room may use this one. */
export const mayUse = (room, file) =>
  [...room.files, ...room.mayUse].some((allowed) => isIn(file, allowed));

const filesIn = (folders, extension) =>
  folders
    .flatMap((folder) => filesBelow(folder))
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => extension.test(file));

/** The files whose imports are checked, and those whose #include lines are. */
export const typescriptSources = () => filesIn(['lib', 'bench'], /\.[cm]?ts$/);
export const nativeSources = () => filesIn(['native', 'bench/native'], /\.(c|cc|h|inc|cu|cuh)$/);
