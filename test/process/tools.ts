import { spawnSync } from 'node:child_process';

/**
 * Whether these programs can be run, which are more than installing the package takes. Where they
 * cannot, it says which tests are skipped, or fails with EFL_REQUIRE_TOOLS=1.
 */
export function hasTools(tests: string, ...tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);
  if (missing.length === 0) return true;
  const found = `${missing.join(' and ')} not found`;
  if (process.env['EFL_REQUIRE_TOOLS'] === '1')
    throw new Error(`EFL_REQUIRE_TOOLS=1, but ${found}`);
  console.warn(`${tests}: skipped, ${found} (EFL_REQUIRE_TOOLS=1 makes this an error)`);
  return false;
}
