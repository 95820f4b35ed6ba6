import path from 'node:path';
import { expectSuccess, root, runNode } from '../process/child';
import { hasTools } from '../process/tools';
import { emulatedLibrary } from './emulated';

const minutes = 60_000;

const withCMake = hasTools('The suite on an emulated device', 'cmake') ? describe : describe.skip;

/** What each of them is about; `npm run test:emulated` runs all. */
const files = [
  'properties/differential/differential',
  'unit/dense-targets',
  'unit/equalized-focal-loss',
  'unit/extremes',
  'unit/gradient-output',
  'unit/labels-and-background',
  'unit/layouts',
  'unit/loss-family',
  'unit/quality-focal-loss',
  'unit/refusals',
];

withCMake('host arrays on an emulated device', () => {
  test(
    'have the same figures as on the CPU',
    async () => {
      const library = await emulatedLibrary();
      const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
      const ended = await runNode([jest, ...files.map((name) => `test/${name}.test.ts`)], {
        env: { EFL_CUDA_LIBRARY: library, EFL_DEVICE: 'cuda' },
      });
      expectSuccess(ended);
      expect(ended.stderr).toMatch(/Tests: .*\b\d{3,} passed/);
    },
    6 * minutes,
  );
});
