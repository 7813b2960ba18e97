import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is left on this process's heap once all rubbish is collected, in bytes. */
export function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  return process.memoryUsage().heapUsed;
}
