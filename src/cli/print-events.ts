import type { RunEvent } from "../runs/view.ts";
import { contactTalk } from "./contact.ts";
import type { Session } from "./session.ts";
import { dataText } from "./show.ts";
import { runWord, stateWord } from "./words.ts";

/** The events of a run so far; with `follow` as they happen, until its end. */
export async function printEvents(session: Session, runId: string, { follow }: { readonly follow: boolean }): Promise<void> {
  const { client, format, print, signal } = session;
  if (follow) {
    for await (const event of client.runs.events(runId, { signal, ...contactTalk(session) })) {
      // A document that has no end would be no use: one per line.
      print(
        format === "json" ? JSON.stringify(event) : format === "yaml" ? `---\n${await dataText("yaml", event)}` : lineOf(session, event),
      );
    }
    return;
  }
  const events = await allEvents(session, runId);
  if (format === "json" || format === "yaml") return print(await dataText(format, events));
  for (const event of events) print(lineOf(session, event));
}

async function allEvents({ client, signal }: Session, runId: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.runs.eventPage(runId, cursor, signal);
    events.push(...page.events);
    // A run that is not over always has a next page, which is empty for now.
    if (page.nextCursor === null || page.events.length === 0) return events;
    cursor = page.nextCursor;
  }
}

function lineOf({ format }: Session, event: RunEvent): string {
  if (format === "name") return event.id;
  return [String(event.seq), event.at, ...whatOf(event)].filter((part) => part !== "").join("  ");
}

function whatOf(event: RunEvent): readonly string[] {
  switch (event.type) {
    case "run":
      return ["run", runWord(event), event.phase === "finished" || event.result === "unknown" ? "" : event.result];
    case "task":
      return [event.task, stateWord(event.status), event.reason ?? ""];
    case "attempt":
      return [event.task, `attempt ${event.attempt} ${stateWord(event.phase)}`, event.reason ?? ""];
  }
}
