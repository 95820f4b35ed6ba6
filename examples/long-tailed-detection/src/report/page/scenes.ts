/** Test scenes in which the losses differ most, in both directions, and one between. */
import sharp from 'sharp';

import { LOSS_TITLES, type LossName } from '../../config.ts';
import { loadClassSplit } from '../../data/class-split.ts';
import { groupOf } from '../../data/counts.ts';
import { IMAGE_SIZE, IMAGE_VALUES } from '../../data/geometry.ts';
import { makeScenes, type SceneObject, type SceneSet } from '../../data/scenes.ts';
import { loadSprites } from '../../data/sprites.ts';
import { planSeed, type SeedPlan } from '../../experiment/seed-plan.ts';
import { displayName, plural } from '../format.ts';
import { escapeHtml, paragraph, section, type Section } from '../html.ts';
import { hits, type SceneChoice } from '../scene-choice.ts';
import type { LossReport, Summary } from '../summary.ts';
import { drawMarks, icon, marksOf, type Mark, type Outcome } from './scene-marks.ts';

/** Of the first seed. */
export async function sceneSection({ config, reports, scenes }: Summary): Promise<Section> {
  const [seed] = config.seeds;
  const choice = scenes.find((scene) => scene.seed === seed)!;
  const names = loadClassSplit().targetPool;
  const plan = planSeed(config, seed, names.length);
  const pictures = makeScenes(await loadSprites(names), plan.test);
  const ofSeed = reports.filter((report) => report.seed === seed);
  const articles = await Promise.all(
    choice.chosen.map(({ image }, i) =>
      sceneArticle(image, i, { choice, plan, pictures, ofSeed, names }),
    ),
  );
  return section('scenes', 'Test scenes', ...introduction(choice, pictures), ...articles);
}

interface Context {
  choice: SceneChoice;
  plan: SeedPlan;
  pictures: SceneSet;
  ofSeed: readonly LossReport[];
  names: readonly string[];
}

function introduction({ challenger, rival, scenes }: SceneChoice, pictures: SceneSet): string[] {
  const point =
    `Each loss makes ${pictures.objects.length.toLocaleString('en')} detections on the ${pictures.images} test scenes, as many ` +
    'as there are objects: its most certain ones.';
  const [own, other] = [LOSS_TITLES[challenger], rival && LOSS_TITLES[rival]];
  const rule = other
    ? `${own} then finds more objects than ${other} in ${plural(scenes.more, 'scene')}, as many in ` +
      `${scenes.equal} and fewer in ${scenes.fewer}. Shown are the two scenes with the largest difference ` +
      'in its favour, the one in the middle of all, and the two with the largest difference against it; ' +
      'among equals, the ones with the lowest numbers. The extremes show what happens, not how often.'
    : 'Shown are the two scenes with the most objects found, the one in the middle of all, and the two with ' +
      'the fewest; among equals, the ones with the lowest numbers.';
  const meanings: [Outcome, string][] = [
    ['found', 'found: a detection of the class within 8 pixels of the centre'],
    ['missed', 'missed: an object without one'],
    ['wrong', 'wrong: another class, or nothing labelled there'],
  ];
  const key = meanings.map(([outcome, text]) => `<li>${icon(outcome)}${escapeHtml(text)}</li>`);
  return [
    paragraph(`${point} ${rule}`),
    `<ul class="key">${key.join('')}</ul>`,
    paragraph(
      'Things without a frame are unlabelled clutter. Below a picture: the score of a detection and, in ' +
        'brackets, the group of the class and its training images.',
    ),
  ];
}

async function sceneArticle(image: number, place: number, context: Context): Promise<string> {
  const { pictures, ofSeed } = context;
  const objects = pictures.objects.filter((object) => object.image === image);
  const picture = await pngAddress(pictures, image);
  const panels = ofSeed.map((report) => panel(report, place, picture, objects, context));
  const id = `scene-${image}`;
  return (
    `<article class="scene" aria-labelledby="${id}"><h3 id="${id}">${escapeHtml(title(image, place, context))}</h3>` +
    paragraph(tally(place, context, objects)) +
    `<div class="panels">${panels.join('')}</div></article>`
  );
}

function title(image: number, place: number, { choice, ofSeed }: Context): string {
  const foundBy = (name: LossName): number =>
    hits(ofSeed.find(({ loss }) => loss === name)!.examples[place]);
  const { challenger, rival } = choice;
  const own = `Scene ${image}: ${LOSS_TITLES[challenger]} finds`;
  if (!rival) return `${own} ${plural(foundBy(challenger), 'object')}`;
  const difference = foundBy(challenger) - foundBy(rival);
  if (difference === 0) return `${own} as many objects as ${LOSS_TITLES[rival]}`;
  const more = difference > 0 ? 'more' : 'fewer';
  return `${own} ${Math.abs(difference)} ${more} than ${LOSS_TITLES[rival]}`;
}

function tally(place: number, { ofSeed }: Context, objects: readonly SceneObject[]): string {
  const found = ofSeed.map(({ loss, examples }) => `${LOSS_TITLES[loss]} ${hits(examples[place])}`);
  return `Found of ${plural(objects.length, 'object')}: ${found.join(', ')}.`;
}

async function pngAddress(scenes: SceneSet, image: number): Promise<string> {
  const pixels = scenes.pixels.slice(image * IMAGE_VALUES, (image + 1) * IMAGE_VALUES);
  const raw = { width: IMAGE_SIZE, height: IMAGE_SIZE, channels: 3 } as const;
  const png = await sharp(pixels, { raw }).png().toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

function panel(
  { loss, examples }: LossReport,
  place: number,
  picture: string,
  objects: readonly SceneObject[],
  { plan, names }: Context,
): string {
  const marks = marksOf(objects, examples[place].detections);
  const nameOf = (classIndex: number): string => displayName(names[plan.classSprites[classIndex]]);
  const counts = (['found', 'missed', 'wrong'] as const).map(
    (outcome) => `${marks.filter((mark) => mark.outcome === outcome).length} ${outcome}`,
  );
  const label = `${LOSS_TITLES[loss]}: ${counts.join(', ')}`;
  return (
    `<figure><figcaption><b>${LOSS_TITLES[loss]}</b> ${counts.join(', ')}</figcaption>` +
    `<svg class="picture" viewBox="0 0 ${IMAGE_SIZE} ${IMAGE_SIZE}" role="img" aria-label="${label}">` +
    `<image href="${picture}" width="${IMAGE_SIZE}" height="${IMAGE_SIZE}"/>${drawMarks(marks, nameOf)}</svg>` +
    `<ul class="marks">${marks.map((mark) => markLine(mark, nameOf(mark.classIndex), plan)).join('')}</ul></figure>`
  );
}

function markLine({ outcome, classIndex, score }: Mark, name: string, plan: SeedPlan): string {
  const group = groupOf(plan.groupCounts[classIndex]);
  const certainty = score === undefined ? '' : ` ${score.toFixed(2)}`;
  const details = `${outcome}${certainty} (${group}, ${plan.counts[classIndex]})`;
  return `<li>${icon(outcome)}<span>${escapeHtml(name)} <small>${details}</small></span></li>`;
}
