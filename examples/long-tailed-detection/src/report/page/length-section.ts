/** How the figures depend on training length: what this run cannot show, and a study has measured. */
import { LOSS_TITLES } from '../../config.ts';
import { loadTrainingLength, type TrainingLength } from '../../training-length.ts';
import { drawChart } from '../charts/draw.ts';
import { trainingLengthChart } from '../charts/training-length.ts';
import { enumerate, formatSpread } from '../format.ts';
import { describeLength } from '../method.ts';
import { figure, paragraph, section, table, type Section } from '../html.ts';
import type { Summary } from '../summary.ts';

export async function lengthSection({ config }: Summary): Promise<Section> {
  // A run of one loss has nothing that the study could be beside.
  const compares = config.losses.includes('fl') && config.losses.includes('efl');
  const study = compares ? loadTrainingLength() : undefined;
  return section(
    'training-length',
    'Training length',
    paragraph(describeLength(config)),
    ...(study ? await studyFigures(study) : []),
  );
}

async function studyFigures(study: TrainingLength): Promise<string[]> {
  const { seeds, tuningSeeds } = study;
  const gains = study.differences.filter(
    ({ loss, baseline }) => loss === 'efl' && baseline === 'fl',
  );
  return [
    figure(
      await drawChart(trainingLengthChart(study)),
      'From a study with the default settings but for length and learning rate, not from this run: ' +
        `mean and standard deviation of seeds ${enumerate(seeds)}. ${describeRates(study)} The rates were ` +
        `chosen for the best average precision over all classes on seeds ${enumerate(tuningSeeds)}.`,
    ),
    table({
      caption:
        'EFL minus FL in that study after so many epochs, in points of average precision, seed by seed: at ' +
        'most 30 detections per image, at most 100, and without a cap.',
      header: ['epochs', 'rare, 30', 'rare, 100', 'rare, no cap', 'all, 30'],
      bodies: [
        {
          rows: gains.map(({ epochs, ap }) => ({
            cells: [
              String(epochs),
              formatSpread(ap.apBudget.rare, true),
              formatSpread(ap.ap100.rare, true),
              formatSpread(ap.apUncapped.rare, true),
              formatSpread(ap.apBudget.all, true),
            ],
          })),
        },
      ],
    }),
  ];
}

function describeRates({ rates }: TrainingLength): string {
  const perLength = rates.map(({ epochs, rates: of }) => {
    const each = Object.entries(of).map(([loss, rate]) => `${loss.toUpperCase()} ${rate}`);
    return `${epochs} epochs ${each.join(', ')}`;
  });
  return `Learning rates: ${perLength.join('; ')} (${LOSS_TITLES.ce} is CE).`;
}
