/** One study: a line for each series, with the quarters around the median as a band. */
import type { Study } from './report';
import { draw, type Specification } from './draw';

/** Okabe and Ito: told apart with any eyes; their yellow is too light for a line on white. */
const colours = ['#d55e00', '#0072b2', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];

export function studyChart(study: Study): Promise<string> {
  const values = study.series.flatMap(({ name, points }) =>
    points.map(({ x, y: { median, lower, upper } }) => ({ name, x, median, lower, upper })),
  );
  return draw({
    title: { text: study.title },
    data: { values },
    width: 560,
    height: 300,
    encoding: {
      x: axis(
        'x',
        study.x,
        study.logarithmicX,
        values.map(({ x }) => x),
      ),
      color: colourOf(study),
    },
    layer: [band(study), line(study), dots(study)],
  });
}

function axis(field: string, title: string, logarithmic: boolean, values: number[]): Specification {
  const scale = logarithmic ? { type: 'log', nice: false } : { zero: field !== 'x' };
  const shown = logarithmic
    ? { labelExpr: logarithmicLabels(values), tickCount: 8 }
    : linearTicks(values);
  const note = logarithmic ? ' (logarithmic)' : '';
  return { field, type: 'quantitative', title: `${title}${note}`, scale, axis: shown };
}

/** Whole numbers count things: there is nothing between them. */
function linearTicks(values: readonly number[]): Specification {
  const whole = values.every((value) => Number.isInteger(value));
  return { labelExpr: "format(datum.value, '~g')", ...(whole ? { tickMinStep: 1 } : {}) };
}

/** All ticks of a long axis would run into each other: powers of ten then, or 1, 2 and 5. */
function logarithmicLabels(values: readonly number[]): string {
  const decades = Math.log10(Math.max(...values) / Math.min(...values));
  const first = "+format(datum.value, '.0e')[0]";
  const some = decades > 1 ? `indexof([1, 2, 5], ${first}) >= 0` : 'true';
  const shown = decades > 2.5 ? `${first} == 1` : some;
  return `${shown} ? format(datum.value, datum.value >= 1 ? '~s' : '~g') : ''`;
}

function colourOf({ series }: Study): Specification {
  return {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { domain: series.map(({ name }) => name), range: colours },
    legend:
      series.length > 1
        ? { orient: 'top', symbolType: 'circle', symbolOpacity: 1, columns: 3 }
        : null,
  };
}

function height(study: Study, field: string): Specification {
  const values = study.series.flatMap(({ points }) =>
    points.flatMap(({ y }) => [y.lower, y.upper]),
  );
  return axis(field, study.y, study.logarithmicY, values);
}

function band(study: Study): Specification {
  return {
    mark: { type: 'area', opacity: 0.18, line: false },
    encoding: { y: height(study, 'lower'), y2: { field: 'upper' } },
  };
}

function line(study: Study): Specification {
  return {
    mark: { type: 'line', strokeWidth: 2 },
    encoding: { y: height(study, 'median') },
  };
}

function dots(study: Study): Specification {
  return {
    mark: { type: 'point', filled: true, size: 36, opacity: 1 },
    encoding: { y: height(study, 'median') },
  };
}
