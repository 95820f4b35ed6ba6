/** Progress of the work, on stderr: one line that changes on a terminal, now and then one elsewhere. */
export interface ProgressBar {
  update(done: number, total: number, detail: string): void;
  finish(): void;
}

const secondsBetweenLines = 5;

export function startProgress(label: string): ProgressBar {
  const write = (text: string): void => void process.stderr.write(text);
  const { isTTY } = process.stderr;
  let last = performance.now();
  if (!isTTY) write(`${label}: started\n`);
  return {
    update: (done, total, detail) => {
      const text = `${label}: ${Math.floor((100 * done) / total)} %, ${detail}`;
      if (isTTY) return write(`\r\x1b[K${text}`);
      if (performance.now() - last < secondsBetweenLines * 1000) return;
      last = performance.now();
      write(`${text}\n`);
    },
    finish: () => {
      write(isTTY ? '\r\x1b[K' : `${label}: done\n`);
    },
  };
}
