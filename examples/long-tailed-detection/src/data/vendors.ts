/** The five sets of drawings: all of them free to use, with attribution at most (see README.md). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const VENDORS = ['noto', 'noto-v1', 'fluent-emoji-flat', 'emojione', 'twemoji'] as const;
export type Vendor = (typeof VENDORS)[number];

interface Icon {
  body: string;
  left?: number;
  top?: number;
  width?: number;
  height?: number;
}

export interface IconSet {
  icons: Record<string, Icon>;
  width?: number;
  height?: number;
}

export function loadIconSet(vendor: Vendor): IconSet {
  return JSON.parse(
    readFileSync(require.resolve(`@iconify-json/${vendor}/icons.json`), 'utf8'),
  ) as IconSet;
}

export function vendorVersion(vendor: Vendor): string {
  const { version } = require(`@iconify-json/${vendor}/package.json`) as { version: string };
  return version;
}

export function iconSvg(set: IconSet, name: string, pixels: number): string {
  const icon = set.icons[name];
  if (!icon) throw new Error(`no drawing named ${name}`);
  const width = icon.width ?? set.width ?? 16;
  const height = icon.height ?? set.height ?? 16;
  const viewBox = `${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `viewBox="${viewBox}" width="${pixels}" height="${pixels}">${icon.body}</svg>`
  );
}

/** Names that all five vendors draw, without skin tones, flags, keycaps and lettered buttons. */
export function sharedNames(): string[] {
  const sets = VENDORS.map(loadIconSet);
  const unwanted = /skin-tone|^flag-|^keycap|-button$/;
  return Object.keys(sets[0].icons)
    .filter((name) => sets.every((set) => name in set.icons) && !unwanted.test(name))
    .sort();
}
