/**
 * What a loss found, missed and took for something else in a scene, drawn on its picture. The three
 * differ in line, sign and word, not only in colour.
 */
import { IMAGE_SIZE, STRIDE } from '../../data/geometry.ts';
import type { SceneObject } from '../../data/scenes.ts';
import type { Detection } from '../../evaluation/detections.ts';
import { escapeHtml } from '../html.ts';
import { paint } from '../theme.ts';

export type Outcome = 'found' | 'missed' | 'wrong';

export interface Mark {
  outcome: Outcome;
  classIndex: number;
  x: number;
  y: number;
  /** Of a detection. */
  score?: number;
}

/** Found and missed objects first, in their order, then wrong detections. */
export function marksOf(objects: readonly SceneObject[], detections: readonly Detection[]): Mark[] {
  const found = new Map(
    detections
      .filter(({ matched }) => matched)
      .map((detection) => [detection.classIndex, detection]),
  );
  // A class occurs at most once in a scene.
  const ofObjects = objects.map(({ classIndex, x, y }): Mark => {
    const detection = found.get(classIndex);
    if (!detection) return { outcome: 'missed', classIndex, x, y };
    return { outcome: 'found', classIndex, x, y, score: detection.score };
  });
  const wrong = detections
    .filter(({ matched }) => !matched)
    .map(({ classIndex, x, y, score }): Mark => ({ outcome: 'wrong', classIndex, x, y, score }));
  return [...ofObjects, ...wrong];
}

/** On the picture, the same in light and in dark. */
const STROKES: Readonly<Record<Outcome, { colour: string; dashes: string; sign: string }>> = {
  found: { colour: '#4dff8e', dashes: 'none', sign: '✓' },
  missed: { colour: '#ffd84a', dashes: '2.6 1.6', sign: '?' },
  wrong: { colour: '#ff8f86', dashes: '.1 1.9', sign: '✕' },
};

export function drawMarks(marks: readonly Mark[], nameOf: (classIndex: number) => string): string {
  // What was found is drawn last, so that nothing covers it.
  const order: Outcome[] = ['wrong', 'missed', 'found'];
  const sorted = order.flatMap((outcome) => marks.filter((mark) => mark.outcome === outcome));
  const frames = sorted.map(({ outcome, x, y }) => frame(outcome, x, y, STRIDE));
  return [...frames, ...labels([...sorted].reverse(), nameOf)].join('');
}

function frame(outcome: Outcome, x: number, y: number, half: number): string {
  const { colour, dashes } = STROKES[outcome];
  const size = 2 * half;
  const shape =
    `<rect x="${(x - half).toFixed(1)}" y="${(y - half).toFixed(1)}" width="${size}" height="${size}" ` +
    'rx="1.5" fill="none" stroke-linecap="round"';
  return (
    `${shape} stroke="#000" stroke-opacity=".55" stroke-width="1.7"/>` +
    `${shape} stroke="${colour}" stroke-width="1" stroke-dasharray="${dashes}"/>`
  );
}

const [LINE_HEIGHT, CHARACTER_WIDTH, LONGEST] = [3.7, 2.2, 17];

interface Box {
  x: number;
  y: number;
  width: number;
}

/** Names above, below or inside their frames: wherever they cover least of the names so far. */
function labels(marks: readonly Mark[], nameOf: (classIndex: number) => string): string[] {
  const taken: Box[] = [];
  return marks.map(({ outcome, classIndex, x, y }) => {
    const { colour, sign } = STROKES[outcome];
    const name = nameOf(classIndex);
    const short = name.length > LONGEST ? `${name.slice(0, LONGEST - 1).trimEnd()}…` : name;
    const text = `${sign} ${short}`;
    const place = freest(x, y, text.length * CHARACTER_WIDTH, taken);
    taken.push(place);
    return `<text x="${place.x.toFixed(1)}" y="${place.y.toFixed(1)}" fill="${colour}">${escapeHtml(text)}</text>`;
  });
}

function freest(x: number, y: number, width: number, taken: readonly Box[]): Box {
  const left = Math.max(0.6, Math.min(x - STRIDE, IMAGE_SIZE - width - 0.6));
  const heights = [y - STRIDE - 1, y + STRIDE + 3.4, y - STRIDE + 3.8, y + STRIDE - 1.4, y + 1.2];
  const places = heights
    .filter((height) => height > LINE_HEIGHT - 0.5 && height < IMAGE_SIZE - 0.4)
    .map((height): Box => ({ x: left, y: height, width }));
  const cost = (place: Box): number => taken.reduce((sum, box) => sum + overlap(place, box), 0);
  return places.reduce((best, place) => (cost(place) < cost(best) ? place : best));
}

function overlap(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = LINE_HEIGHT - Math.abs(a.y - b.y);
  return Math.max(0, across) * Math.max(0, down);
}

/** The sign of an outcome in a text. */
export function icon(outcome: Outcome): string {
  const { dashes, sign } = STROKES[outcome];
  const colour = paint(outcome);
  return (
    '<svg viewBox="0 0 16 16" aria-hidden="true">' +
    `<rect x="1" y="1" width="14" height="14" rx="2.5" fill="none" stroke="${colour}" stroke-width="1.8" ` +
    `stroke-linecap="round" stroke-dasharray="${ICON_DASHES[dashes]}"/>` +
    `<text x="8" y="12" text-anchor="middle" font-size="11" font-weight="700" fill="${colour}">${sign}</text></svg>`
  );
}

const ICON_DASHES: Readonly<Record<string, string>> = {
  none: 'none',
  '2.6 1.6': '4 3',
  '.1 1.9': '.1 3.2',
};
