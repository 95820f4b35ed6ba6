/** The place between two numbers at which a condition begins to hold. */
export function firstWhere(
  holds: (x: number) => boolean,
  from: number,
  to: number,
  round: (x: number) => number,
): number {
  let [without, within] = [from, to];
  for (;;) {
    const middle = round((without + within) / 2);
    if (middle === without || middle === within) {
      return within;
    }
    if (holds(middle)) {
      within = middle;
    } else {
      without = middle;
    }
  }
}
