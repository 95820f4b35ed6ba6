/** A few test scenes with the most certain detections of every loss drawn on them. */
import sharp from 'sharp';

import { LOSS_TITLES } from '../config.ts';
import { groupOf } from '../data/counts.ts';
import { IMAGE_SIZE, IMAGE_VALUES, STRIDE } from '../data/geometry.ts';
import { makeScenes, type SceneObject, type SceneSet } from '../data/scenes.ts';
import { loadClassSplit } from '../data/class-split.ts';
import { loadSprites } from '../data/sprites.ts';
import type { Detection } from '../evaluation/detections.ts';
import { planSeed, type SeedPlan } from '../experiment/seed-plan.ts';
import { escapeHtml } from './html.ts';
import type { LossReport, Summary } from './summary.ts';

interface Example {
  picture: string;
  objects: SceneObject[];
  detections: { report: LossReport; detections: Detection[] }[];
}

/** Scenes of the first seed, as one HTML fragment. */
export async function sceneStrip({ config, reports }: Summary): Promise<string> {
  const names = loadClassSplit().targetPool;
  const plan = planSeed(config, config.seeds[0], names.length);
  const scenes = makeScenes(await loadSprites(names), plan.test);
  const ofSeed = reports.filter((report) => report.seed === config.seeds[0]);
  const images = ofSeed[0].examples.map(({ image }) => image);
  const rows = await Promise.all(
    images.map(async (image, i) => {
      const example: Example = {
        picture: await pngAddress(scenes, image),
        objects: scenes.objects.filter((object) => object.image === image),
        detections: ofSeed.map((report) => ({
          report,
          detections: report.examples[i].detections,
        })),
      };
      return exampleRow(example, plan, names);
    }),
  );
  return rows.join('\n');
}

async function pngAddress(scenes: SceneSet, image: number): Promise<string> {
  const pixels = scenes.pixels.slice(image * IMAGE_VALUES, (image + 1) * IMAGE_VALUES);
  const raw = { width: IMAGE_SIZE, height: IMAGE_SIZE, channels: 3 } as const;
  const png = await sharp(pixels, { raw }).png().toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

function exampleRow(
  { picture, objects, detections }: Example,
  plan: SeedPlan,
  names: string[],
): string {
  const nameOf = (classIndex: number): string => names[plan.classSprites[classIndex]];
  const truth = objects.map(({ classIndex }) => {
    const images = plan.counts[classIndex];
    const training = images === 1 ? '1 image' : `${images} images`;
    const group = groupOf(plan.groupCounts[classIndex]);
    return `<li>${escapeHtml(nameOf(classIndex))} <small>${group}, ${training}</small></li>`;
  });
  const truthMarks = objects.map(({ x, y }) => square(x, y, '#fff', '1.5 1'));
  const panels = [
    panel('Labelled things', picture, truthMarks, truth),
    ...detections.map(({ report, detections: found }) =>
      panel(
        LOSS_TITLES[report.loss],
        picture,
        // Hits last, so that no miss covers them.
        [...found]
          .sort((a, b) => Number(a.matched) - Number(b.matched))
          .map(({ x, y, matched }) => square(x, y, matched ? '#19e65a' : '#ff3b30')),
        found.map((detection) => detectionLine(detection, nameOf(detection.classIndex))),
      ),
    ),
  ];
  return `<div class="scene">${panels.join('')}</div>`;
}

function detectionLine({ score, matched }: Detection, name: string): string {
  const mark = matched ? '<b class="hit">✓</b>' : '<b class="miss">✗</b>';
  return `<li>${mark} ${escapeHtml(name)} <small>${score.toFixed(2)}</small></li>`;
}

function panel(title: string, picture: string, marks: string[], lines: string[]): string {
  return (
    `<figure><figcaption>${title}</figcaption>` +
    `<svg viewBox="0 0 ${IMAGE_SIZE} ${IMAGE_SIZE}" role="img" aria-label="${title}">` +
    `<image href="${picture}" width="${IMAGE_SIZE}" height="${IMAGE_SIZE}"/>${marks.join('')}</svg>` +
    `<ul>${lines.join('')}</ul></figure>`
  );
}

function square(x: number, y: number, colour: string, dashes = 'none'): string {
  const size = 2 * STRIDE;
  return (
    `<rect x="${x - STRIDE}" y="${y - STRIDE}" width="${size}" height="${size}" rx="1.5" fill="none" ` +
    `stroke="${colour}" stroke-width="1.1" stroke-dasharray="${dashes}"/>`
  );
}
