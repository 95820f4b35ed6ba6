/** How the figures were made, with what settings, and on what machine. */
import type { ExperimentConfig } from '../../config.ts';
import type { RunDirectory } from '../../experiment/run-directory.ts';
import { definitions, heading, list, section, type Section } from '../html.ts';
import { describeMethod } from '../method.ts';
import { environment } from '../metrics.ts';
import type { Summary } from '../summary.ts';

export function methodSection(directory: RunDirectory, summary: Summary): Section {
  return section(
    'method',
    'How the figures were made',
    list(describeMethod(summary)),
    heading('Settings and machine'),
    definitions(settings(directory, summary.config)),
  );
}

function settings(
  { created }: RunDirectory,
  config: ExperimentConfig,
): (readonly [string, string])[] {
  const { cpu, cores, platform, node, backend, versions } = environment();
  const perLoss = (values: Record<string, number>): string =>
    config.losses.map((loss) => `${loss} ${values[loss]}`).join(', ');
  return [
    ['begun', created],
    ['epochs', `${config.epochs}, batches of ${config.batchSize} images`],
    ['learning rate', perLoss(config.learningRates)],
    ['prior', perLoss(config.priors)],
    ['momentum, weight decay', `${config.momentum}, ${config.weightDecay}`],
    ['gamma, alpha', `${config.gamma}, ${config.alpha}`],
    ['scale factor of EFL', String(config.scaleFactor)],
    ['machine', `${cpu}, ${cores} cores, ${platform}, Node.js ${node}`],
    ['loss backend', `${backend}; one thread for each training`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, v]) => `${name} ${v}`)
        .join(', '),
    ],
  ];
}
