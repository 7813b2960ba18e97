import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is left on this process's heap once all rubbish is collected, in bytes. */
export function heapUsed(): number {
  return collected().heapUsed;
}

/** What buffers hold beside the heap once all rubbish is collected, in bytes. */
export function buffersUsed(): number {
  return collected().arrayBuffers;
}

function collected(): NodeJS.MemoryUsage {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  return process.memoryUsage();
}
