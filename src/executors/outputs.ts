import type { PodHandle } from "./driver.ts";
import { StepFault } from "./steps/step-fault.ts";

const maxBytes = 64 * 1024;

/** What the task's steps wrote to `OSTLER_OUTPUT`: lines of `KEY=value`; the last one of a key counts. Throws StepFault on anything else. */
export async function readOutputs(pod: PodHandle, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const bytes = await pod.files.read(pod.outputFile, maxBytes, signal);
  if (!bytes) return {};
  if (bytes.length > maxBytes) throw new StepFault("config", "the outputs are larger than 64 KiB");
  const outputs = new Map<string, string>();
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split(/\r?\n/).entries()) {
    if (line === "") continue;
    const at = line.indexOf("=");
    if (at <= 0) throw new StepFault("config", `line ${index + 1} of the outputs is not KEY=value`);
    outputs.set(line.slice(0, at), line.slice(at + 1));
  }
  return Object.fromEntries(outputs);
}
