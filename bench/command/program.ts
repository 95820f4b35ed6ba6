/** How a program of the benchmark starts and ends. */
import { messageOf } from '../host/message';

/** Exit code: something was measured, but has a fault. */
export const faulty = 1;
/** Exit code: nothing was measured. */
export const refused = 2;

/** Runs a program, which resolves to its exit code. */
export function runProgram(name: string, main: (args: readonly string[]) => Promise<number>): void {
  endOnSignals();
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(`${name}: ${messageOf(error)}`);
      process.exit(refused); // whatever still runs
    },
  );
}

/**
 * Ended by a signal, a program still ends its children and removes its files, which 'exit' does. A
 * terminal and `efl bench` may both send the signal: the second must not cut that short.
 */
function endOnSignals(): void {
  let ending = false;
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      process.exit(128 + number);
    });
  }
}
