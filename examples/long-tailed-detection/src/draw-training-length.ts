/** Draws the study of training length as a file of its own: `<summary.json> <file.svg>`. */
import { UsageError } from './errors.ts';
import { writeFileAtomically } from './io/files.ts';
import { drawAlone } from './report/charts/draw.ts';
import { trainingLengthChart } from './report/charts/training-length.ts';
import { loadTrainingLength } from './training-length.ts';

const [summary, picture] = process.argv.slice(2);
const study = summary === undefined ? undefined : loadTrainingLength(summary);
if (!study || picture === undefined) throw new UsageError('it takes a summary and a picture');
writeFileAtomically(picture, `${await drawAlone(trainingLengthChart(study))}\n`);
