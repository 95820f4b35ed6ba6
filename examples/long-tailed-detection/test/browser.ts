/** A Chromium of the system for tests of pages, and nothing of what it might do on its own. */
import { existsSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const program = PROGRAMS.find((path) => existsSync(path));

/** Why tests of pages cannot run here, or false. With EFL_REQUIRE_TOOLS=1 that is an error. */
export function noBrowser(): string | false {
  if (program) return false;
  const reason = 'no Chromium at /usr/bin (EFL_REQUIRE_TOOLS=1 makes this an error)';
  if (process.env['EFL_REQUIRE_TOOLS'] === '1') throw new Error(reason);
  return reason;
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: program!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    timeout: 120_000,
  });
}
