/** How the figures came about, in a few sentences for the console and the report. */
import { DEFAULT_CONFIG, detectionCaps, type ExperimentConfig } from '../config.ts';
import { plural } from './format.ts';
import type { Summary } from './summary.ts';
import { describeData } from './metrics.ts';

/** What a gain in these figures is, which they cannot show themselves. */
export function describeLength({ epochs }: ExperimentConfig): string {
  return (
    `These figures are of ${plural(epochs, 'epoch')}. Most of the gain of Equalized Focal Loss after the ` +
    `default ${DEFAULT_CONFIG.epochs} epochs is speed: it learns rare classes sooner, and with longer training Focal ` +
    'Loss makes up for much of the distance (README.md, "Training length").'
  );
}

export function describeMethod(summary: Summary): string[] {
  const { config } = summary;
  const data = describeData(summary);
  const budget = detectionCaps(config.classes).apBudget;
  const { rare, common, frequent } = data.classes;
  const shape = config.balanced
    ? `as a balanced control, ${data.imagesOfMostFrequentClass} training images each (the groups are ` +
      'those the classes would be in without --balanced)'
    : `in LVIS's shape: ${rare} rare (1-10 training images), ${common} common (11-100), ` +
      `${frequent} frequent (101-${data.imagesOfMostFrequentClass})`;
  return [
    `Data: ${config.classes} classes ${shape}; tested on ${config.testImagesPerClass} images of every class.`,
    'AP: 101-point average precision per class, a detection within 8 px of the centre is a hit; mean over ' +
      `the classes of a group. ${budget} detections per image keep the ratio of LVIS (300 for 1,203 ` +
      'classes).',
    'Training: frozen backbone pretrained on other classes; for every loss the same initial weights (but ' +
      `for the prior), the same batches and ${plural(config.epochs, 'epoch')}.`,
    describeStart(summary),
    'Loss per step: median time of loss, gradient and statistics for ' +
      `${config.batchSize * 64} x ${config.classes} logits on one thread.`,
  ];
}

/** The one setting in which the example departs from the published configurations. */
function describeStart({ config }: Summary): string {
  const priors = config.losses.map((loss) => `${config.priors[loss]} (${loss})`);
  return (
    `Prior: scores start at ${priors.join(', ')}, through the bias of the classifier. The official ` +
    'configurations start at .001; this data is too small for EFL to act from there (see README.md).'
  );
}
