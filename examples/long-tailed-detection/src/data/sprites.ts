/** Drawings rasterised to 32 x 32 RGBA, all in one buffer, cached on disk. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { writeFileAtomically } from '../io/files.ts';
import { CACHE_DIRECTORY } from '../paths.ts';
import { iconSvg, loadIconSet, vendorVersion, VENDORS } from './vendors.ts';

export const SPRITE_SIZE = 32;
export const BYTES_PER_SPRITE = SPRITE_SIZE * SPRITE_SIZE * 4;

export interface SpriteSheet {
  /** Sprite of (name n, vendor v) starts at (n * vendors + v) * BYTES_PER_SPRITE. */
  readonly pixels: Uint8Array;
  readonly vendors: number;
  readonly names: readonly string[];
}

/** Draws the names on first use and reads them from the cache afterwards. */
export async function loadSprites(
  names: readonly string[],
  onDrawing: (done: number) => void = () => undefined,
): Promise<SpriteSheet> {
  const path = join(CACHE_DIRECTORY, `sprites-${cacheKey(names)}.rgba`);
  const bytes = names.length * VENDORS.length * BYTES_PER_SPRITE;
  if (!existsSync(path)) writeFileAtomically(path, await drawAll(names, onDrawing));
  const cached = readFileSync(path);
  if (cached.length !== bytes) throw new Error(`${path} is damaged: delete it and start again`);
  // Shared memory, so that every worker reads the one copy.
  const pixels = new Uint8Array(new SharedArrayBuffer(bytes));
  pixels.set(cached);
  return { pixels, vendors: VENDORS.length, names };
}

export function spritesAreCached(names: readonly string[]): boolean {
  return existsSync(join(CACHE_DIRECTORY, `sprites-${cacheKey(names)}.rgba`));
}

function cacheKey(names: readonly string[]): string {
  const versions = VENDORS.map((vendor) => `${vendor}@${vendorVersion(vendor)}`);
  return createHash('sha256')
    .update(JSON.stringify([SPRITE_SIZE, versions, names]))
    .digest('hex')
    .slice(0, 16);
}

async function drawAll(
  names: readonly string[],
  onDrawing: (done: number) => void,
): Promise<Uint8Array> {
  const sets = VENDORS.map(loadIconSet);
  const sheet = new Uint8Array(names.length * sets.length * BYTES_PER_SPRITE);
  for (const [index, name] of names.entries()) {
    // The vendors of one name together: enough to keep sharp's own threads busy.
    await Promise.all(
      sets.map(async (set, vendor) => {
        const pixels = await draw(iconSvg(set, name, SPRITE_SIZE), `${VENDORS[vendor]}/${name}`);
        sheet.set(pixels, (index * sets.length + vendor) * BYTES_PER_SPRITE);
      }),
    );
    onDrawing(index + 1);
  }
  return sheet;
}

async function draw(svg: string, label: string): Promise<Uint8Array> {
  const pixels = await sharp(Buffer.from(svg))
    .resize(SPRITE_SIZE, SPRITE_SIZE, {
      fit: 'contain',
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    })
    .ensureAlpha()
    .raw()
    .toBuffer();
  if (pixels.length !== BYTES_PER_SPRITE) throw new Error(`${label} was not drawn as RGBA`);
  return pixels;
}
