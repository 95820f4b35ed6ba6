/** The scaling study: one study after the other. */
import { messageOf } from '../host/message';
import { withProgress } from '../host/progress';
import type { Pace } from '../process/runner';
import type { Study } from '../report/report';
import { plans, type Plan, type Size } from './plans';

export interface StudyOptions {
  /** Half a minute, to see that everything works. */
  readonly quick?: boolean | undefined;
  readonly rounds?: number | undefined;
}

const fullPace: Pace = { rounds: 11, sampleMilliseconds: 20 };
const quickPace: Pace = { rounds: 3, sampleMilliseconds: 1 };
const fullSize: Size = { logits: 16_000_000, quick: false };
const quickSize: Size = { logits: 64_000, quick: true };

export async function runStudies({ quick = false, rounds }: StudyOptions): Promise<Study[]> {
  const pace = quick ? quickPace : fullPace;
  const studies: Study[] = [];
  for (const plan of plans(quick ? quickSize : fullSize)) {
    studies.push(...(await run(plan, { ...pace, rounds: rounds ?? pace.rounds })));
  }
  return studies;
}

/** A study, or nothing where nothing could be measured: some systems do not tell about memory. */
async function run({ measure, ...frame }: Plan, pace: Pace): Promise<Study[]> {
  try {
    const series = await withProgress(`study of ${frame.id}`, (show) => measure(pace, show));
    const known = series.filter(({ points }) => points.length > 0);
    return known.length === 0 ? [] : [{ ...frame, series: known }];
  } catch (error) {
    // The others are still worth something, and so is what was measured before.
    console.error(`bench: the study of ${frame.id} is left out: ${messageOf(error)}`);
    return [];
  }
}
