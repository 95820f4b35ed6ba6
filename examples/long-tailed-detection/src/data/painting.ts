/** Pixels of a scene: a textured background, and sprites stamped on it. */
import { IMAGE_SIZE } from './geometry.ts';
import type { Random } from './random.ts';
import { BYTES_PER_SPRITE, SPRITE_SIZE, type SpriteSheet } from './sprites.ts';

/** One RGB image while it is being painted. */
export type Canvas = Float32Array;

interface Stamp {
  /** Offset of the sprite in the sheet. */
  offset: number;
  x: number;
  y: number;
  size: number;
  angle: number;
  mirrored: boolean;
  /** Factor per colour channel. */
  gain: readonly [number, number, number];
}

/** A gradient between two colours with a wavy pattern over it. */
export function paintBackground(canvas: Canvas, random: Random): void {
  const colour = (): number[] => [0, 1, 2].map(() => random.uniform(40, 230));
  const [from, to] = [colour(), colour()];
  const angle = random.uniform(0, 2 * Math.PI);
  const [directionX, directionY] = [Math.cos(angle), Math.sin(angle)];
  const [waveX, waveY] = [random.uniform(0.1, 0.6), random.uniform(0.1, 0.6)];
  const phase = random.uniform(0, 6);
  const amplitude = random.uniform(0, 35);
  const middle = IMAGE_SIZE / 2;
  for (let y = 0; y < IMAGE_SIZE; y++) {
    for (let x = 0; x < IMAGE_SIZE; x++) {
      const along = ((x - middle) * directionX + (y - middle) * directionY) / IMAGE_SIZE;
      const mix = Math.min(1, Math.max(0, 0.5 + along));
      const wave = amplitude * Math.sin(x * waveX + phase) * Math.sin(y * waveY);
      const pixel = (y * IMAGE_SIZE + x) * 3;
      for (let k = 0; k < 3; k++) canvas[pixel + k] = to[k] * mix + from[k] * (1 - mix) + wave;
    }
  }
}

/** Stamps a thing in one vendor's drawing, with random size, turn, mirroring and colour. */
export function paintThing(
  canvas: Canvas,
  sheet: SpriteSheet,
  name: number,
  x: number,
  y: number,
  random: Random,
): void {
  const vendor = random.integer(sheet.vendors);
  const size = random.uniform(14, 24);
  const angle = random.uniform(-0.35, 0.35);
  const mirrored = random.next() < 0.5;
  const brightness = random.uniform(0.75, 1.15);
  const tint = (): number => brightness * random.uniform(0.9, 1.1);
  const offset = (name * sheet.vendors + vendor) * BYTES_PER_SPRITE;
  const gain = [tint(), tint(), tint()] as const;
  stamp(canvas, sheet.pixels, { offset, x, y, size, angle, mirrored, gain });
}

/** Maps every canvas pixel near the stamp back into the sprite and blends what it finds there. */
function stamp(canvas: Canvas, pixels: Uint8Array, { x, y, size, angle, ...look }: Stamp): void {
  const reach = (size / 2) * Math.SQRT2;
  const cos = (Math.cos(angle) * SPRITE_SIZE) / size;
  const sin = (Math.sin(angle) * SPRITE_SIZE) / size;
  const middle = (SPRITE_SIZE - 1) / 2;
  const lastX = Math.min(IMAGE_SIZE - 1, x + reach);
  const lastY = Math.min(IMAGE_SIZE - 1, y + reach);
  for (let row = Math.max(0, Math.floor(y - reach)); row <= lastY; row++) {
    for (let column = Math.max(0, Math.floor(x - reach)); column <= lastX; column++) {
      const across = (column - x) * cos + (row - y) * sin;
      const down = (row - y) * cos - (column - x) * sin;
      const u = (look.mirrored ? -across : across) + middle;
      blend(canvas, (row * IMAGE_SIZE + column) * 3, pixels, look, u, down + middle);
    }
  }
}

/** Bilinear sample of the sprite at (u, v), composited over one canvas pixel. */
function blend(
  canvas: Canvas,
  target: number,
  pixels: Uint8Array,
  { offset, gain }: Pick<Stamp, 'offset' | 'gain'>,
  u: number,
  v: number,
): void {
  const left = Math.floor(u);
  const top = Math.floor(v);
  if (left < 0 || top < 0 || left >= SPRITE_SIZE - 1 || top >= SPRITE_SIZE - 1) return;
  const [fx, fy] = [u - left, v - top];
  const a = offset + (top * SPRITE_SIZE + left) * 4;
  const c = a + SPRITE_SIZE * 4;
  const sample = (k: number): number =>
    (pixels[a + k] * (1 - fx) + pixels[a + 4 + k] * fx) * (1 - fy) +
    (pixels[c + k] * (1 - fx) + pixels[c + 4 + k] * fx) * fy;
  const opacity = sample(3) / 255;
  if (opacity < 0.01) return;
  for (let k = 0; k < 3; k++) {
    const colour = Math.min(255, sample(k) * gain[k]);
    canvas[target + k] = canvas[target + k] * (1 - opacity) + colour * opacity;
  }
}

/** Rounds the canvas into 8-bit pixels, with some noise. */
export function develop(canvas: Canvas, pixels: Uint8Array, offset: number, random: Random): void {
  const noise = random.uniform(0, 10);
  for (let i = 0; i < canvas.length; i++) {
    const value = canvas[i] + random.uniform(-noise, noise);
    pixels[offset + i] = Math.min(255, Math.max(0, value));
  }
}
