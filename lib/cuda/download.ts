import type { NativeMemory } from '../binding/addon';
import { cudaError } from '../binding/devices';
import { checkReady, runAsync } from '../binding/executor';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { rejectReading } from './capture';

/** Copies memory of a device to the host when what is under way with it is done, off the event loop. */
export async function downloadAsync(memory: NativeMemory, data: ArrayBufferView): Promise<void> {
  rejectReading();
  checkReady(undefined);
  const outcome = await runAsync('The download', undefined, (slots, done) =>
    fromNative(() => memory.submitDownload(data, slots, done)),
  );
  const { slot, status } = addon().codes;
  if (outcome[slot.status] === status.deviceError) throw cudaError(outcome[slot.badIndex]!);
}
