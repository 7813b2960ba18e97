import { contactTalk } from "../contact.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal.ts";
import { lineOfEvent } from "./change-lines.ts";
import type { View } from "./view.ts";
import { type WaitingMemory, waitingLines } from "./waiting-lines.ts";

/** A line for each change; for pipes, files and terminals that cannot draw over what they show. */
export function createLineView({ session, output }: { readonly session: Session; readonly output: Output }): View {
  let memory: WaitingMemory = new Map();
  return {
    onChange: (run, events) => {
      const changes = events.map((event) => lineOfEvent(event, run)).filter((line) => line !== undefined);
      const waiting = waitingLines(memory, run, session.shell.now() + session.client.clockSkewMs());
      memory = waiting.memory;
      for (const line of [...changes, ...waiting.lines]) output.write(`${line}\n`);
    },
    ...contactTalk(session),
    close: () => {},
  };
}
