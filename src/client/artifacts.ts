import { bodyOf } from "./answer-body.ts";
import { body, ending, type TypedApi } from "./api.ts";
import { apiPath, segment } from "./path.ts";
import type { Transport } from "./transport.ts";

export interface Artifact {
  readonly task: string;
  readonly name: string;
  /** As stored, compressed. */
  readonly sizeBytes: number;
  readonly createdAt: string;
}

/** What tasks have saved by name, over the API. */
export function createArtifacts(api: TypedApi, { url, fetch }: Transport) {
  return {
    list: (runId: string, signal?: AbortSignal): Promise<{ readonly artifacts: readonly Artifact[] }> =>
      body(api.runs[":id"].artifacts.$get({ query: {}, param: { id: segment(runId) } }, ending(signal))),
    /** Its files as a tar stream. */
    read: async (
      runId: string,
      { task, name }: Pick<Artifact, "task" | "name">,
      signal?: AbortSignal,
    ): Promise<ReadableStream<Uint8Array>> => {
      const init = { headers: { accept: "application/x-tar" }, ...(signal && { signal }) };
      return bodyOf(await fetch(url + apiPath`/runs/${runId}/artifacts/${task}/${name}`, init), url, signal);
    },
  };
}
