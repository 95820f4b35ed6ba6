import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Machine } from '../report/report';
import { allThreads } from '../host/threads';

export function describeMachine(instructionSets: readonly string[]): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cpuNumbers: cpuNumbers(procCpuinfo()),
    cores: allThreads,
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    instructionSets,
  };
}

/** What /proc/cpuinfo of Linux on x86 numbers of its first processor; null where it says nothing. */
export function cpuNumbers(cpuinfo: string): string | null {
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*: (\\d+)$`, 'm').exec(cpuinfo)?.[1];
  const [family, model, stepping] = [value('cpu family'), value('model'), value('stepping')];
  if (family === undefined || model === undefined) return null;
  return `family ${family}, model ${model}${stepping === undefined ? '' : `, stepping ${stepping}`}`;
}

function procCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
