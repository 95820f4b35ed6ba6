/** Vega-Lite without a browser. It is loaded when a chart is drawn, since it may not be installed. */
import { pathToFileURL } from 'node:url';
import { find, notInstalled } from '../host/packages';

export type Specification = Readonly<Record<string, unknown>>;

/** What is used of the two libraries. */
interface Vega {
  readonly Error: number;
  logger(level: number): object;
  parse(specification: unknown): unknown;
  /** Meant to be replaced where there is no canvas to measure text with. */
  readonly textMetrics: {
    width: (item: object, text: unknown) => number;
    readonly height: (item: object) => number;
  };
  readonly View: new (dataflow: unknown, options: object) => View;
}
interface View {
  toSVG(): Promise<string>;
  finalize(): void;
}
interface VegaLite {
  readonly compile: (specification: Specification, options: object) => { readonly spec: unknown };
}

const names = ['vega', 'vega-lite'] as const;

/** Why nothing can be drawn here, or undefined. */
export function reasonNotToDraw(): string | undefined {
  const absent = names.find((name) => find(name) === undefined);
  return absent === undefined ? undefined : notInstalled(absent);
}

/** Both are ES modules, which `require` would not load in every Node.js. */
async function load<Library>(name: (typeof names)[number]): Promise<Library> {
  const file = find(name);
  if (file === undefined) throw new Error(notInstalled(name));
  return (await import(pathToFileURL(file).href)) as Library;
}

/** White lies behind every picture: it has to be readable on a dark page as well. */
const config = {
  font: 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif',
  background: 'white',
  padding: 12,
  view: { stroke: null },
  title: { fontSize: 14, fontWeight: 600, anchor: 'start', subtitleFontSize: 12, offset: 10 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
    gridColor: '#e6e8eb',
    domainColor: '#9aa5b1',
    tickColor: '#9aa5b1',
  },
  legend: { labelLimit: 300, labelFontSize: 12, titleFontSize: 12 },
  header: { labelFontSize: 12, labelFontWeight: 600, titleFontSize: 12 },
} as const;

/** An SVG document. */
export async function draw(specification: Specification): Promise<string> {
  const [vega, { compile }] = await Promise.all([load<Vega>('vega'), load<VegaLite>('vega-lite')]);
  useNarrowText(vega);
  // Their warnings are about choices made here on purpose, and nobody could act on them.
  const logger = vega.logger(vega.Error);
  const { spec } = compile({ ...specification, config }, { logger });
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logger });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

/** An axis of names, each shown in full. */
export function nameAxis(field: string): Specification {
  const axis = { labelLimit: 0, ticks: false, domain: false };
  return { field, type: 'nominal', sort: null, title: null, axis };
}

/** A line through the quarters around the median. */
export const whiskers: Specification = {
  mark: { type: 'rule', color: '#1f2933', strokeWidth: 1.5 },
  encoding: { x: { field: 'lower', type: 'quantitative' }, x2: { field: 'upper' } },
};

/** The `text` of a bar, beside its whiskers. */
export function barText(mark: Specification = { color: '#1f2933' }): Specification {
  return {
    mark: { type: 'text', align: 'left', dx: 7, fontSize: 12, ...mark },
    encoding: {
      x: { field: 'upper', type: 'quantitative' },
      text: { field: 'text', type: 'nominal' },
    },
  };
}

/**
 * Room for a text, without a font to measure it by. Vega's own estimate is so generous that half of
 * a picture with long names would be empty.
 */
function useNarrowText({ textMetrics }: Vega): void {
  const widthOfLetter = 0.62;
  textMetrics.width = (item, text) =>
    widthOfLetter * String(text).length * textMetrics.height(item);
}
