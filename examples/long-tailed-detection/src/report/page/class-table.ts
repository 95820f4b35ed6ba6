/** Every class of the first seed: its images, average precision by loss, g_j and gamma_j. */
import { detectionCaps, LOSS_TITLES } from '../../config.ts';
import { GROUPS } from '../../data/counts.ts';
import { displayName, formatSigned, plural } from '../format.ts';
import { section, table, type Section, type TableRow } from '../html.ts';
import { mainDifference } from '../finding.ts';
import type { Summary } from '../summary.ts';

export function classSection(summary: Summary): Section {
  const { config } = summary;
  const seed = config.seeds[0];
  const reports = summary.reports.filter((report) => report.seed === seed);
  const difference = mainDifference(summary);
  const of = (loss: string) => reports.find((report) => report.loss === loss)?.perClass;
  const own = of('efl');
  const other = difference && of(difference.baseline);
  const row = (rank: number): TableRow => {
    const { name, images } = reports[0].perClass[rank];
    const ap = reports.map(({ perClass }) => (100 * perClass[rank].apBudget).toFixed(1));
    const gain = own && other ? 100 * (own[rank].apBudget - other[rank].apBudget) : undefined;
    return {
      cells: [
        displayName(name),
        String(images),
        ...ap,
        ...(gain === undefined ? [] : [formatSigned(gain)]),
        ...(own ? [figureOf(own[rank].gradientRatio), figureOf(own[rank].focusingFactor)] : []),
      ],
    };
  };
  const bodies = GROUPS.map((group) => {
    const ranks = reports[0].perClass.flatMap((report, rank) =>
      report.group === group ? [rank] : [],
    );
    return { title: `${group}: ${ranks.length} classes`, rows: ranks.map(row) };
  });
  const header = [
    'class',
    { short: 'img.', long: 'training images' },
    ...reports.map(({ loss }) => ({
      short: loss.toUpperCase(),
      long: `average precision of ${LOSS_TITLES[loss]}`,
    })),
    ...(difference
      ? [
          {
            short: `EFL−${difference.baseline.toUpperCase()}`,
            long: `difference to ${LOSS_TITLES[difference.baseline]}`,
          },
        ]
      : []),
    ...(own
      ? [
          { short: 'g', long: 'gradient ratio at the end of training' },
          { short: 'γ', long: 'focusing factor at the end of training' },
        ]
      : []),
  ];
  return section(
    'classes',
    'Every class',
    table({
      caption:
        `Training images, average precision in % (at most ${detectionCaps(config.classes).apBudget} ` +
        `detections per image, ${plural(config.epochs, 'epoch')}, seed ${seed})` +
        `${own ? ', gradient ratio g and focusing factor γ of Equalized Focal Loss at the end' : ''}. ` +
        `Every class has ${config.testImagesPerClass} test images, so a single figure is rough.`,
      header,
      bodies,
      className: 'classes',
    }),
  );
}

const figureOf = (value: number | undefined): string => value?.toFixed(2) ?? '';
