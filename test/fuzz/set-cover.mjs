/**
 * Which inputs cover the most: one after the other the one that adds most to those before, until none
 * adds anything or there are `most`. Of each input the numbers of its features; returns indices.
 */
export function setCover(features, most = Infinity) {
  const largest = features.reduce((size, list) => list.reduce((a, b) => Math.max(a, b), size), 0);
  const covered = new Uint8Array(largest + 1);
  const chosen = [];
  while (chosen.length < most) {
    const gains = features.map((list) =>
      list.reduce((sum, feature) => sum + 1 - covered[feature], 0),
    );
    const best = gains.reduce((at, gain, i) => (gain > gains[at] ? i : at), 0);
    if (!gains[best]) return chosen;
    chosen.push(best);
    for (const feature of features[best]) covered[feature] = 1;
  }
  return chosen;
}
