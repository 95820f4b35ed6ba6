/** Figures as people read them: one place, so that table, chart and page agree. */
import type { Errors, Figure, Machine, Report, Spread } from './report';

/** Three significant digits, without an exponent where that is readable. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(1);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size >= 9.995) return value.toFixed(1);
  return value.toPrecision(size >= 0.995 ? 3 : 2);
}

/** Half the distance of the quarters, in percent of the median. */
export function percentSpread({ median, lower, upper }: Spread): string {
  return `±${((50 * (upper - lower)) / median).toFixed(0)} %`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const size = Math.abs(value);
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), units.length - 1);
  return `${digits(value / 1024 ** power)} ${units[power]!}`;
}

export function figureValue(value: number, unit: Figure['unit']): string {
  if (unit === 'bytes') return bytes(value);
  if (unit === 'relative error') return value.toExponential(1);
  return `${digits(value)} ${unit}`;
}

export function threadCount(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

/** Loss, gradient and statistics must all be right, so the worst of them counts. */
export function worstError({ errors }: { readonly errors: Errors | null }): string {
  const known = Object.values(errors ?? {}).filter((error) => error !== null);
  return known.length === 0 ? '' : Math.max(...known).toExponential(1);
}

/** A virtual machine may say no more than "AMD EPYC": the numbers tell which. */
export function processor({ cpu, cpuNumbers }: Pick<Machine, 'cpu' | 'cpuNumbers'>): string {
  return cpuNumbers === null ? cpu : `${cpu} (${cpuNumbers})`;
}

/** Where and when the figures were taken, in a line. */
export function taken({ machine, created }: Pick<Report, 'machine' | 'created'>): string {
  return `Measured on ${processor(machine)} with ${machine.cores} cores and Node.js ${machine.node}, ${created.slice(0, 10)}.`;
}

export function machineLines(machine: Machine): [string, string][] {
  return [
    ['processor', `${processor(machine)}, ${machine.cores} cores`],
    ['memory', bytes(machine.memoryBytes)],
    ['system', `${machine.platform}, Node.js ${machine.node}`],
    ['instruction sets', machine.instructionSets.join(', ') || 'none'],
  ];
}

export function bandwidth(bytesPerSecond: number): string {
  return `${digits(bytesPerSecond / 1e9)} GB/s`;
}
