import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { OstlerError } from "../errors.ts";
import { documentAsJson } from "./document-text.ts";
import type { YamlAnswer } from "./yaml-thread.ts";

const { text, maxBytes } = z.object({ text: z.string(), maxBytes: z.number() }).parse(workerData);

function read(): YamlAnswer {
  try {
    return { type: "json", text: documentAsJson({ text, format: "yaml", maxBytes }) };
  } catch (error) {
    if (!(error instanceof OstlerError)) throw error;
    const { code, message, details } = error;
    return { type: "refusal", code, message, details };
  }
}

parentPort?.postMessage(read());
