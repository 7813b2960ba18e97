import type { RunEvent } from "../runs/view.ts";
import { apiPath } from "./path.ts";
import { resumeStream, type StreamOptions } from "./resume-stream.ts";
import { streamHeaders } from "./run-events.ts";
import type { Transport } from "./transport.ts";

export type InstallationEvent =
  /** `position` is where to go on after it, also in another process. */
  | { readonly type: "event"; readonly position: string; readonly event: RunEvent }
  /** Events between the last one and now are no longer kept, or Redis has forgotten some: read what there is anew, then go on. */
  | { readonly type: "reset"; readonly position: string };

export interface FollowInstallation extends StreamOptions {
  /** The position of the last event that was handled. Without it the stream begins now. */
  readonly after?: string;
}

/** The events of all runs, as they happen, until the signal is aborted. */
export async function* followInstallation({ url, fetch }: Transport, options: FollowInstallation): AsyncGenerator<InstallationEvent, void> {
  const { after = "", ...follow } = options;
  const open = (lastId: string, signal: AbortSignal) => fetch(url + apiPath`/events`, { headers: streamHeaders(lastId || after), signal });
  for await (const { event, data, id } of resumeStream(open, follow)) {
    if (event === "reset") yield { type: "reset", position: id };
    else if (event === "run" || event === "task" || event === "attempt") yield { type: "event", position: id, event: JSON.parse(data) };
  }
}
