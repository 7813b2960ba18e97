import type { RunEvent } from "../runs/view.ts";
import { resumeStream, type StreamOptions } from "./resume-stream.ts";
import type { Transport } from "./transport.ts";

/** A run's events in order, each once: one that a server repeats after a reconnect is dropped. Ends when the run has. */
export async function* followEvents({ url, fetch }: Transport, path: string, options: StreamOptions): AsyncGenerator<RunEvent, void> {
  let lastSeq = 0;
  const open = (lastId: string, signal: AbortSignal) => fetch(url + path, { headers: streamHeaders(lastId), signal });
  for await (const { event, data } of resumeStream(open, options)) {
    if (event !== "run" && event !== "task" && event !== "attempt") continue;
    const parsed: RunEvent = JSON.parse(data);
    if (parsed.seq <= lastSeq) continue;
    lastSeq = parsed.seq;
    yield parsed;
  }
}

/** Asks for an event stream that goes on after `lastId`. */
export function streamHeaders(lastId: string): Readonly<Record<string, string>> {
  return { accept: "text/event-stream", ...(lastId === "" ? {} : { "last-event-id": lastId }) };
}
