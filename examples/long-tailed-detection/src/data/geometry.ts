/** Sizes every part of the example agrees on. */
export const IMAGE_SIZE = 64;
export const IMAGE_VALUES = IMAGE_SIZE * IMAGE_SIZE * 3;
export const STRIDE = 8;
export const GRID = IMAGE_SIZE / STRIDE;
export const CELLS = GRID * GRID;

/** Label 0 is background and class c is label c + 1, the `background: 'first'` of the criteria. */
export const BACKGROUND_LABEL = 0;
export const IGNORED_LABEL = -1;

export const labelOfClass = (classIndex: number): number => classIndex + 1;

/** The grid cell that contains a point of the image. */
export function cellAt(x: number, y: number): number {
  return Math.floor(y / STRIDE) * GRID + Math.floor(x / STRIDE);
}

export function cellCentre(cell: number): { x: number; y: number } {
  return { x: ((cell % GRID) + 0.5) * STRIDE, y: (Math.floor(cell / GRID) + 0.5) * STRIDE };
}

/** The cell at the same place of the image mirrored left to right. */
export function mirroredCell(cell: number): number {
  return cell - (cell % GRID) + (GRID - 1 - (cell % GRID));
}

/** The up to eight cells around a cell. */
export const NEIGHBOURS: readonly (readonly number[])[] = Array.from(
  { length: CELLS },
  (_, cell) => {
    const neighbours: number[] = [];
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const x = (cell % GRID) + dx;
        const y = Math.floor(cell / GRID) + dy;
        const inside = x >= 0 && y >= 0 && x < GRID && y < GRID;
        if (inside && (dx !== 0 || dy !== 0)) neighbours.push(y * GRID + x);
      }
    }
    return neighbours;
  },
);
