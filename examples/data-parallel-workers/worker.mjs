// A thread: its own criterion, its own blocks of every batch.
import { parentPort, workerData } from 'node:worker_threads';
import { EqualizedFocalLoss } from 'equalized-focal-loss';
import { computeBlock } from './block.mjs';
import { classes } from './task.mjs';

const { task, mine } = workerData;
const criterion = new EqualizedFocalLoss({ numClasses: classes });

parentPort.on('message', (step) => {
  parentPort.postMessage(mine.map((block) => computeBlock(criterion, task, block, step)));
});
