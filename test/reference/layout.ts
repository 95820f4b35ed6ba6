/** Where the elements of rows x columns are in a feature map, and moving them there and back. */

export type MapLayout = 'NHWC' | 'NCHW';
export type ChannelOrder = 'anchor-major' | 'class-major';

export interface LevelSize {
  readonly images: number;
  readonly height: number;
  readonly width: number;
}

export interface Arrangement {
  readonly layout: MapLayout;
  readonly anchors: number;
  readonly channelOrder: ChannelOrder;
}

/** A feature map of so many columns for each of its anchors. */
export interface Level extends LevelSize, Arrangement {
  readonly columns: number;
}

export function rowCount({ images, height, width }: LevelSize, anchors: number): number {
  return images * height * width * anchors;
}

export function shapeOf({ images, height, width, anchors, columns, layout }: Level): number[] {
  const channels = anchors * columns;
  return layout === 'NHWC' ? [images, height, width, channels] : [images, channels, height, width];
}

/** The place of a row's column; rows are ordered images x height x width x anchors. */
function placeOf(level: Level, row: number, column: number): number {
  const { layout, anchors, columns, channelOrder } = level;
  const channels = anchors * columns;
  const positions = level.height * level.width;
  const anchor = row % anchors;
  const cell = (row - anchor) / anchors;
  const position = cell % positions;
  const image = (cell - position) / positions;
  const channel =
    channelOrder === 'anchor-major' ? anchor * columns + column : column * anchors + anchor;
  return layout === 'NHWC'
    ? (image * positions + position) * channels + channel
    : (image * channels + channel) * positions + position;
}

type Numbers = Float32Array | Uint16Array | Uint8Array;

function move<T extends Numbers>(values: T, level: Level, intoMap: boolean): T {
  const moved = values.slice() as T;
  for (let at = 0; at < values.length; at += 1) {
    const column = at % level.columns;
    const place = placeOf(level, (at - column) / level.columns, column);
    moved[intoMap ? place : at] = values[intoMap ? at : place]!;
  }
  return moved;
}

/** Rows x columns as the level has them. */
export function intoMap<T extends Numbers>(rows: T, level: Level): T {
  return move(rows, level, true);
}

/** The values of a level as rows x columns. */
export function intoRows<T extends Numbers>(map: T, level: Level): T {
  return move(map, level, false);
}

/** Cuts a row-major array into one part for each size. */
export function cutByLevel<T extends Numbers | Int32Array>(
  values: T,
  sizes: readonly LevelSize[],
  anchors: number,
  width = 1,
): T[] {
  let from = 0;
  return sizes.map((size) => {
    const start = from;
    from += rowCount(size, anchors) * width;
    return values.slice(start, from) as T;
  });
}

export const ARRANGEMENTS: readonly Arrangement[] = (['NHWC', 'NCHW'] as const).flatMap((layout) =>
  (['anchor-major', 'class-major'] as const).flatMap((channelOrder) =>
    [1, 3].map((anchors) => ({ layout, channelOrder, anchors })),
  ),
);
