import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type ErrorCode, OstlerError } from "../errors.ts";

/** What the thread says. */
export type YamlAnswer =
  | { readonly type: "json"; readonly text: string }
  | { readonly type: "refusal"; readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> };

/** Reads a YAML text in a thread of its own and gives it back as JSON. Throws what is wrong with it, or that too many others wait. */
export type ReadYaml = (text: string, signal: AbortSignal) => Promise<string>;

/** A megabyte takes about a second. */
const readMs = 30_000;
const threadMegabytes = 1_024;
/** Each holds its text in memory, and the last one waits for all others. */
const maxWaiting = 8;

/** This module is TypeScript in a checkout and JavaScript once published. */
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./yaml-worker.ts" : "./yaml-worker.js", import.meta.url);

/** Long texts would keep everybody else waiting: reading YAML takes a second per megabyte. One is read at a time. */
export function createYamlThread(maxBytes: number): ReadYaml {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (text, signal) => {
    if (waiting >= maxWaiting)
      throw new OstlerError("overloaded", "too many large YAML bodies are being read; send JSON, which is read at once");
    waiting += 1;
    const turn = last.then(() => read({ text, maxBytes }, signal));
    last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  };
}

async function read(workerData: { readonly text: string; readonly maxBytes: number }, signal: AbortSignal): Promise<string> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), readMs);
  const worker = new Worker(workerFile, {
    workerData,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
  });
  try {
    // Only our own worker answers here, with what its type says.
    const [answer]: YamlAnswer[] = await once(worker, "message", { signal: AbortSignal.any([signal, late.signal]) });
    if (answer?.type !== "refusal") return answer?.text ?? "";
    throw new OstlerError(answer.code, answer.message, { details: answer.details });
  } catch (error) {
    if (late.signal.aborted || isOutOfMemory(error)) {
      throw new OstlerError("body_too_large", "this is too much YAML to read in 30 s and 1 GiB; send it as JSON", { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}
