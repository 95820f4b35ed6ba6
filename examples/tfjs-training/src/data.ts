/** Emoji, each to be put into its Unicode category by what its drawing is made of. */
import twemoji from '@iconify-json/twemoji/icons.json' with { type: 'json' };
import metadata from '@iconify-json/twemoji/metadata.json' with { type: 'json' };

export interface Examples {
  /** One row of FEATURES values for each drawing. */
  readonly features: Float32Array;
  /** Category of each drawing. */
  readonly labels: Int32Array;
}

export interface Dataset {
  readonly categories: readonly string[];
  /** Categories by how many drawings of them are trained with. */
  readonly groups: Readonly<Record<'rare' | 'common' | 'frequent', number[]>>;
  readonly training: Examples;
  readonly test: Examples;
}

/** Drawings of a category that are trained with; all of those not named here. */
const limits: Readonly<Record<string, number>> = {
  Activities: 10,
  'Food & Drink': 10,
  'Smileys & Emotion': 10,
  'Animals & Nature': 40,
  'Travel & Places': 40,
};

const LEVELS = 4;
const SHAPES = ['<path', '<circle', '<ellipse', '<g'];
/** Shares of colours, and how many shapes of each kind there are. */
export const FEATURES = LEVELS ** 3 + SHAPES.length;

/** The same on every machine and in every run. Every fifth drawing is for the test. */
export function loadDataset(): Dataset {
  const categories = Object.keys(metadata.categories);
  const training: Drawing[] = [];
  const test: Drawing[] = [];
  categories.forEach((category, label) => {
    const drawings = drawingsOf(category, label);
    const kept = drawings.filter((_, i) => i % 5 !== 0).slice(0, limits[category]);
    training.push(...kept);
    test.push(...drawings.filter((_, i) => i % 5 === 0));
  });
  return {
    categories,
    groups: groupsOf(categories),
    training: examplesOf(inMixedOrder(training)),
    test: examplesOf(test),
  };
}

interface Drawing {
  readonly name: string;
  readonly svg: string;
  readonly label: number;
}

/** Those in five skin tones would be in training and test alike: only the plain ones are taken. */
function drawingsOf(category: string, label: number): Drawing[] {
  const names: readonly string[] =
    metadata.categories[category as keyof typeof metadata.categories];
  const icons: Readonly<Record<string, { body: string }>> = twemoji.icons;
  return inMixedOrder(
    names.flatMap((name) => {
      const svg = icons[name]?.body;
      return svg === undefined || name.includes('skin-tone') ? [] : [{ name, svg, label }];
    }),
  );
}

function groupsOf(categories: readonly string[]): Dataset['groups'] {
  const groups: Dataset['groups'] = { rare: [], common: [], frequent: [] };
  categories.forEach((category, label) => {
    const limit = limits[category] ?? Infinity;
    groups[limit <= 10 ? 'rare' : limit <= 100 ? 'common' : 'frequent'].push(label);
  });
  return groups;
}

/** By a hash of the name (FNV-1a), so that batches and the test have some of everything. */
function inMixedOrder(drawings: readonly Drawing[]): Drawing[] {
  const hash = ({ name }: Drawing): number =>
    [...name].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619) >>> 0, 2166136261);
  return [...drawings].sort((a, b) => hash(a) - hash(b));
}

function examplesOf(drawings: readonly Drawing[]): Examples {
  const features = new Float32Array(drawings.length * FEATURES);
  drawings.forEach(({ svg }, i) => features.set(featuresOf(svg), i * FEATURES));
  return { features, labels: Int32Array.from(drawings, ({ label }) => label) };
}

function featuresOf(svg: string): Float32Array {
  const values = new Float32Array(FEATURES);
  const colours = svg.match(/#[0-9a-f]{6}\b|#[0-9a-f]{3}\b/g) ?? [];
  for (const colour of colours) values[bin(colour)]! += 1 / colours.length;
  SHAPES.forEach((shape, k) => {
    values[LEVELS ** 3 + k] = Math.log1p(svg.split(shape).length - 1) / 3;
  });
  return values;
}

/** Which of LEVELS^3 boxes of the colour cube a colour is in. */
function bin(colour: string): number {
  const digits = colour.length === 4 ? colour.replace(/[0-9a-f]/g, '$&$&') : colour;
  const level = (channel: number): number =>
    Math.floor((parseInt(digits.slice(1 + 2 * channel, 3 + 2 * channel), 16) * LEVELS) / 256);
  return (level(0) * LEVELS + level(1)) * LEVELS + level(2);
}
