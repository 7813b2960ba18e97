import { bodyOf } from "./answer-body.ts";
import { apiPath, type Query, queryText } from "./path.ts";
import { resumeStream, type StreamOptions } from "./resume-stream.ts";
import { streamHeaders } from "./run-events.ts";
import type { Transport } from "./transport.ts";

/** Which log: of a step by its position from 0, or of the setup; of both or all in one text where neither is given. */
export interface LogAddress {
  readonly runId: string;
  readonly task: string;
  readonly step?: number | undefined;
  readonly setup?: boolean | undefined;
  /** A container after the first. */
  readonly service?: string | undefined;
  /** From 1; the last unless given. */
  readonly attempt?: number | undefined;
}

export interface LogQuery {
  /** First byte to give. */
  readonly offset?: number | undefined;
  /** Only the last lines. */
  readonly tail?: number | undefined;
  readonly timestamps?: boolean | undefined;
  /** Only lines that match this regular expression (RE2). */
  readonly grep?: string | undefined;
}

export type LogPart =
  /** `text` begins at byte `offset` of the log and ends before byte `end`. */
  | { readonly type: "chunk"; readonly offset: number; readonly end: number; readonly text: string }
  /** These bytes are lost for good; with `to: null` all that followed. */
  | { readonly type: "gap"; readonly from: number; readonly to: number | null; readonly why: string }
  | { readonly type: "end"; readonly size: number; readonly complete: boolean };

/** Logs, over the API. */
export function createLogs(transport: Transport) {
  return {
    /** The log's text as far as there is one now: read the stream to its end, or cancel it. */
    read: async (address: LogAddress, query: LogQuery, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> => {
      const init = { headers: { accept: "text/plain" }, ...(signal && { signal }) };
      return bodyOf(await transport.fetch(urlOf(transport, address, { ...query }), init), transport.url, signal);
    },
    /** The log as it grows, until its end, each byte once. */
    follow: (address: LogAddress, query: LogQuery, options: StreamOptions) => followLog(transport, address, query, options),
  };
}

async function* followLog(
  transport: Transport,
  address: LogAddress,
  query: LogQuery,
  options: StreamOptions,
): AsyncGenerator<LogPart, void> {
  const url = urlOf(transport, address, { ...query, follow: true });
  let shownTo = 0;
  const open = (lastId: string, signal: AbortSignal) => transport.fetch(url, { headers: streamHeaders(lastId), signal });
  for await (const { event, data, id } of resumeStream(open, options)) {
    if (event === "gap") yield { type: "gap", ...JSON.parse(data) };
    if (event === "end") yield { type: "end", ...JSON.parse(data) };
    if (event !== "chunk") continue;
    const { offset, text }: { readonly offset: number; readonly text: string } = JSON.parse(data);
    const end = Number(id);
    // A chunk is sent whole or not at all, so one that ends where we are is one that we have.
    if (end <= shownTo) continue;
    shownTo = end;
    yield { type: "chunk", offset, end, text };
  }
}

function urlOf({ url }: Transport, { runId, task, step, setup, service, attempt }: LogAddress, query: Query): string {
  const parameters = queryText({ step, setup: setup === true ? true : undefined, service, attempt, ...query });
  return `${url}${apiPath`/runs/${runId}/tasks/${task}/logs`}${parameters}`;
}
