// Changes to an input, at random: those that libFuzzer makes, and of numbers and brackets in text.

/** A small seeded generator (xorshift32). */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0 || 1;
  }

  /** An integer in [0, count). */
  below(count) {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % count;
  }

  of(list) {
    return list[this.below(list.length)];
  }
}

const interesting = ['0', '1', '2', '8', '16', '-1', '1.0', '1e3', '01', '9007199254740993'].concat(
  ['18446744073709551615', '18446744073709551616', '1e999', '-0'],
);

function replaced(input, from, to, by) {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

/** Two places in the input, in order. */
function span(random, input, most = 32) {
  const from = random.below(input.length + 1);
  return [from, Math.min(input.length, from + 1 + random.below(most))];
}

const changes = [
  function flipBit(random, input) {
    const changed = Buffer.from(input);
    changed[random.below(input.length)] ^= 1 << random.below(8);
    return changed;
  },
  function setByte(random, input) {
    const changed = Buffer.from(input);
    changed[random.below(input.length)] = random.below(256);
    return changed;
  },
  function erase(random, input) {
    return replaced(input, ...span(random, input), Buffer.alloc(0));
  },
  function insertBytes(random, input) {
    const at = random.below(input.length + 1);
    const bytes = Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
    return replaced(input, at, at, bytes);
  },
  function insertWord(random, input, { words }) {
    const at = random.below(input.length + 1);
    return replaced(input, at, at, random.of(words));
  },
  function overwriteWithWord(random, input, { words }) {
    const word = random.of(words);
    const at = random.below(input.length + 1);
    return replaced(input, at, Math.min(input.length, at + word.length), word);
  },
  function repeat(random, input) {
    const [from, to] = span(random, input);
    const at = random.below(input.length + 1);
    return replaced(input, at, at, input.subarray(from, to));
  },
  function splice(random, input, { corpus }) {
    const other = random.of(corpus);
    const [from, to] = span(random, other, 200);
    const at = random.below(input.length + 1);
    const end = random.below(2) ? at : Math.min(input.length, at + to - from);
    return replaced(input, at, end, other.subarray(from, to));
  },
  function changeNumber(random, input) {
    const found = [...input.toString('latin1').matchAll(/\d+/g)];
    if (found.length === 0) return input;
    const { 0: digits, index } = random.of(found);
    const near = String(Number(digits) + random.below(9) - 4);
    const by = random.below(2) ? near : random.of(interesting);
    return replaced(input, index, index + digits.length, Buffer.from(by));
  },
  function doubleMember(random, input) {
    const found = [...input.toString('latin1').matchAll(/"[^"]*":(?:"[^"]*"|\{[^{}]*\}|[^,{}]*)/g)];
    if (found.length === 0) return input;
    const { 0: member, index } = random.of(found);
    return replaced(input, index, index, Buffer.from(`${member},`, 'latin1'));
  },
];

/** One to four changes; `material` has words and other inputs to take parts of. */
export function mutate(random, input, material, mostBytes) {
  let changed = input;
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    if (changed.length === 0) changed = Buffer.from([random.below(256)]);
    changed = random.of(changes)(random, changed, material);
  }
  return changed.subarray(0, mostBytes);
}

/** The words of a dictionary of libFuzzer. */
export function wordsOf(dictionary) {
  return dictionary
    .split('\n')
    .filter((line) => /^[^#]*"/.test(line))
    .map((line) => Buffer.from(line.slice(line.indexOf('"') + 1, -1).replace(/\\(["\\])/g, '$1')));
}
