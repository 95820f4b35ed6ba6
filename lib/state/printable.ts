/**
 * Text from a file, for messages: whatever could move a cursor, change a colour or hide other text
 * is shown as its code, and there is not too much of it.
 */
export function printable(text: string, most = 60): string {
  const shown = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return shown.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escape);
}

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** The same between quotation marks. */
export function quoted(text: string): string {
  return `'${printable(text)}'`;
}
