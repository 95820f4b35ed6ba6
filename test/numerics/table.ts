/** Tables of the document, as cells. */

export interface Table {
  readonly head: readonly string[];
  /** Which columns are numbers, and stand to the right. */
  readonly figures: readonly boolean[];
  readonly rows: readonly (readonly string[])[];
}

/** A number with so many significant digits, and none for show. */
export function figure(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

/** A table whose first columns are words and whose others are figures. */
export function tableOf(
  words: readonly string[],
  figures: readonly string[],
  rows: Table['rows'],
): Table {
  const head = [...words, ...figures];
  return { head, figures: head.map((_, column) => column >= words.length), rows };
}

export function cellsOf({ head, rows }: Table): string[][] {
  return [head, ...rows].map((row) => [...row]);
}

/** The cells of a table in Markdown, its head among them. */
export function parseCells(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.filter((_, row) => row !== 1);
}
