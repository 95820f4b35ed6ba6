import { checkDevice } from '../backends';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';

/** Memory of a device, in bytes. */
export interface MemoryInfo {
  readonly total: number;
  /** Free for anybody; what this process keeps in its pool is not in it. */
  readonly free: number;
  /** In this process's pool, given out or not. */
  readonly reserved: number;
  /** Of that, what is given out. */
  readonly inUse: number;
}

/** How much memory a device has, and what this process has of it. */
export function memoryInfo(device = 0): MemoryInfo {
  checkDevice('device', device);
  const [total, free, reserved, inUse] = fromNative(() => addon().deviceMemory(device));
  return { total, free, reserved, inUse };
}
