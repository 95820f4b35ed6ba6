// TypeScript: the example and every subpath compile under each way to find modules.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageName, subpaths } from './package.mjs';
import { example, newProjectOfNpm, succeed } from './project.mjs';
import { tool } from './tools.mjs';

/** What each subpath is used for; one that is not here is an error. */
const uses = {
  '': `import { FocalLoss } from '${packageName}';
export const loss: number = new FocalLoss({ numClasses: 2 }).forward(new Float32Array(2), [1]).loss;`,
  '/tfjs': `import { FocalLoss } from '${packageName}';
import { tfLoss } from '${packageName}/tfjs';
export const loss: Function = tfLoss(new FocalLoss({ numClasses: 2 }));`,
  '/native': `import { include, library } from '${packageName}/native';
export const folders: string[] = [include, library];`,
};

/** What the declarations of the package refer to, which a user has installed. */
function link(folder, name) {
  const place = path.join(folder, 'node_modules', ...name);
  mkdirSync(path.dirname(place), { recursive: true });
  symlinkSync(tool(...name), place);
}

function compiles(module, moduleResolution, extensions) {
  return async (context) => {
    const tsc = tool('typescript', 'bin', 'tsc');
    const folder = await newProjectOfNpm(context);
    link(folder, ['@types', 'node']);
    link(folder, ['@tensorflow', 'tfjs-core']);
    // Without the types of browsers, which take long to check and are not used.
    const language = { target: 'es2022', lib: ['es2022'], types: ['node'] };
    const shared = { strict: true, noEmit: true, ...language };
    const files = new Map(extensions.map((extension) => [`example.${extension}`, example]));
    for (const subpath of subpaths) {
      if (!uses[subpath]) throw new Error(`types.mjs does not use ${packageName}${subpath}`);
      for (const extension of extensions) {
        files.set(`use${subpath.replace('/', '-')}.${extension}`, uses[subpath]);
      }
    }
    for (const [name, code] of files) writeFileSync(path.join(folder, name), code);
    // The declarations of TensorFlow.js do not compile by themselves.
    const [own, foreign] = [false, true].map((isForeign) =>
      [...files.keys()].filter((name) => name.startsWith('use-tfjs') === isForeign),
    );
    for (const [include, skipLibCheck] of [
      [own, false],
      [foreign, true],
    ]) {
      const compilerOptions = { ...shared, module, moduleResolution, skipLibCheck };
      const config = path.join(folder, 'tsconfig.json');
      writeFileSync(config, JSON.stringify({ compilerOptions, files: include }));
      await succeed(process.execPath, [tsc, '-p', config], folder);
    }
  };
}

export const types = {
  'types-node10': compiles('commonjs', 'node10', ['ts']),
  'types-node16': compiles('node16', 'node16', ['mts', 'cts']),
  'types-nodenext': compiles('nodenext', 'nodenext', ['mts', 'cts']),
  'types-bundler': compiles('esnext', 'bundler', ['ts', 'mts']),
};
