import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from './host/packages';

interface Diagnosis {
  readonly binary: {
    readonly path: string;
    readonly configuration?: string;
    readonly intact?: boolean;
  };
  readonly backends: readonly { readonly available: boolean; readonly detail: string }[];
}

/** Why the package's build must not be timed, as `efl doctor` sees it; undefined where it may be. */
export function objectionToBuild(allowUnknown: boolean): string | undefined {
  const { binary, backends } = diagnose();
  const { available, detail } = backends[0]!;
  if (!available) return `the package does not work here: ${detail}`;
  if (binary.configuration === 'release' || (binary.configuration === undefined && allowUnknown)) {
    return undefined;
  }
  return binary.configuration === undefined
    ? `nothing says how ${binary.path} was built. Times of debug and sanitizer builds mean ` +
        'nothing; pass --allow-unknown-build if this is a release build'
    : `${binary.path} is a ${binary.configuration} build, whose times mean nothing. ` +
        'Make a release build first: npm run build';
}

function diagnose(): Diagnosis {
  const efl = path.join(packageRoot, 'dist', 'cli', 'main.js');
  const { stdout } = spawnSync(process.execPath, [efl, 'doctor', '--json'], { encoding: 'utf8' });
  return JSON.parse(stdout) as Diagnosis;
}
