import type { ApiError } from "../../client/api-error.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal.ts";
import { lineOfEvent } from "./change-lines.ts";
import type { View } from "./view.ts";
import { type WaitingMemory, waitingLines } from "./waiting-lines.ts";

/** A line for each change; for pipes, files and terminals that cannot draw over what they show. */
export function createLineView({ session, output }: { readonly session: Session; readonly output: Output }): View {
  let memory: WaitingMemory = new Map();
  let losses = 0;
  return {
    onChange: (run, events) => {
      const changes = events.map((event) => lineOfEvent(event, run)).filter((line) => line !== undefined);
      const waiting = waitingLines(memory, run, session.shell.now() + session.client.clockSkewMs());
      memory = waiting.memory;
      for (const line of [...changes, ...waiting.lines]) output.write(`${line}\n`);
    },
    onLost: (error: ApiError) => {
      losses += 1;
      // A proxy that cuts long answers costs a reconnect that nobody needs to know of.
      if (losses === 2) session.say(`no contact with ${session.client.url} (${error.message}); trying again`);
    },
    onFound: () => {
      if (losses >= 2) session.say(`in contact with ${session.client.url} again`);
      losses = 0;
    },
    close: () => {},
  };
}
