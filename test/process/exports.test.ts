import { addonPath } from '../../lib/binding/load';
import { expectSuccess, run } from './child';
import { hasTools } from './tools';

const hasNm = process.platform === 'linux' && hasTools('The exported symbols', 'nm');

(hasNm ? test : test.skip)('the addon exports its entry points and nothing else', async () => {
  const ended = await run('nm', ['-D', '--defined-only', addonPath()]);
  expectSuccess(ended);
  const names = ended.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1));
  expect(names.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});
