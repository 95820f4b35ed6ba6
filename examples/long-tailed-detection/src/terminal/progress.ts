/** Progress of the work: bars on a terminal, plain lines elsewhere. Both on stderr. */
import { MultiBar, type SingleBar } from 'cli-progress';

export interface ProgressBar {
  update(done: number, total: number, detail?: string): void;
  finish(detail: string): void;
}

export interface ProgressDisplay {
  begin(label: string): ProgressBar;
  /** Leaves the bars as they are; what comes later is not shown any more. */
  close(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(stream) : new LineDisplay(stream);
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Seconds left, from the pace since the first update (which may be far into a resumed task). */
class Pace {
  private readonly started = performance.now();
  private first: number | undefined;

  secondsLeft(done: number, total: number): number | undefined {
    this.first ??= done;
    if (done <= this.first) return undefined;
    const elapsed = (performance.now() - this.started) / 1000;
    return (elapsed / (done - this.first)) * (total - done);
  }

  text(done: number, total: number): string {
    const seconds = this.secondsLeft(done, total);
    return seconds === undefined ? '' : `${duration(seconds)} left`;
  }
}

class BarDisplay implements ProgressDisplay {
  private readonly bars: MultiBar;
  private closed = false;

  constructor(stream: NodeJS.WriteStream) {
    this.bars = new MultiBar({
      stream,
      format: '{label} {bar} {percentage} %  {left}  {detail}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      autopadding: true,
      hideCursor: true,
      // Ctrl-C is ours: it must save checkpoints first.
      gracefulExit: false,
      // A narrow terminal cuts the line instead of breaking the picture.
      linewrap: false,
    });
  }

  begin(label: string): ProgressBar {
    const payload = { label: label.padEnd(30), left: ''.padEnd(14), detail: '' };
    const bar: SingleBar = this.bars.create(1, 0, payload);
    const pace = new Pace();
    return {
      update: (done, total, detail = '') => {
        if (this.closed) return;
        bar.setTotal(total);
        bar.update(done, { left: pace.text(done, total).padEnd(14), detail });
      },
      finish: (detail) => {
        if (this.closed) return;
        bar.update(bar.getTotal(), { left: ''.padEnd(14), detail });
      },
    };
  }

  close(): void {
    if (!this.closed) this.bars.stop();
    this.closed = true;
  }
}

const SECONDS_BETWEEN_LINES = 10;

class LineDisplay implements ProgressDisplay {
  private readonly stream: NodeJS.WriteStream;
  private closed = false;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  begin(label: string): ProgressBar {
    const pace = new Pace();
    let last = performance.now();
    this.line(`${label}: started`);
    return {
      update: (done, total, detail = '') => {
        const left = pace.text(done, total);
        if (performance.now() - last < SECONDS_BETWEEN_LINES * 1000) return;
        last = performance.now();
        const percent = `${Math.floor((100 * done) / total)} %`;
        const parts = [percent, left, detail].filter((part) => part !== '');
        this.line(`${label}: ${parts.join(', ')}`);
      },
      finish: (detail) => {
        this.line(`${label}: ${detail}`);
      },
    };
  }

  close(): void {
    this.closed = true;
  }

  private line(text: string): void {
    if (!this.closed) this.stream.write(`${text}\n`);
  }
}
