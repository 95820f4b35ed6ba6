// Worker threads do not inherit the loader that lets Node run TypeScript, so each registers it.
import { register } from 'tsx/esm/api';

register();
export const { drawScenes, extractFeatures, trainLoss } = await import('./worker.ts');
