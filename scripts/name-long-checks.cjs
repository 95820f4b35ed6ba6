// Says at the end of `npm test` what it has left out.
const { readdirSync } = require('node:fs');
const path = require('node:path');

const tests = path.join(__dirname, '..', 'test');
const ending = '.long.test.ts';

module.exports = () => {
  const names = readdirSync(tests, { recursive: true })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.basename(file, ending))
    .sort();
  console.error(
    `\nNot run: the emulated GPU, and the long checks (${names.join(', ')}). npm run test:all runs all.`,
  );
};
