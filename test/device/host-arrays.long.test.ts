import path from 'node:path';
import { expectSuccess, root, runNode } from '../process/child';
import { hasTools } from '../process/tools';
import { emulatedLibrary } from './emulated';

const minutes = 60_000;

const withCMake = hasTools('The suite on an emulated device', 'cmake') ? describe : describe.skip;

/** What each of them is about; `npm run test:emulated` runs all. */
const files = [
  'dense-targets',
  'equalized-focal-loss',
  'extremes',
  'gradient-output',
  'labels-and-background',
  'layouts',
  'loss-family',
  'quality-focal-loss',
];

withCMake('host arrays on an emulated device', () => {
  test(
    'have the same figures as on the CPU',
    async () => {
      const library = await emulatedLibrary();
      const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
      const ended = await runNode([jest, ...files.map((name) => `test/unit/${name}.test.ts`)], {
        env: { EFL_CUDA_LIBRARY: library, EFL_DEVICE: 'cuda' },
      });
      expectSuccess(ended);
      expect(ended.stderr).toMatch(/Tests: .*\b\d{3,} passed/);
    },
    6 * minutes,
  );
});
