/** Progress of the work, on stderr: one line that changes on a terminal, now and then one elsewhere. */
export type ShowProgress = (done: number, total: number, detail: string) => void;

const secondsBetweenLines = 5;

/** Does some work, which may show how far it is. */
export async function withProgress<Result>(
  label: string,
  work: (show: ShowProgress) => Promise<Result>,
): Promise<Result> {
  const { isTTY } = process.stderr;
  const write = (text: string): void => void process.stderr.write(text);
  let last = performance.now();
  if (!isTTY) write(`${label}: started\n`);
  try {
    return await work((done, total, detail) => {
      const text = `${label}: ${Math.floor((100 * done) / total)} %, ${detail}`;
      const now = performance.now();
      if (isTTY) {
        write(`\r\x1b[K${text}`);
      } else if (now - last >= secondsBetweenLines * 1000) {
        last = now;
        write(`${text}\n`);
      }
    });
  } finally {
    write(isTTY ? '\r\x1b[K' : `${label}: done\n`);
  }
}
