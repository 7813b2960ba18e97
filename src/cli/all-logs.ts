import { ApiError } from "../client/api-error.ts";
import type { LogQuery } from "../client/logs.ts";
import type { RunView } from "../runs/view.ts";
import { followTaskLog, prefixedSink, printLog } from "./print-logs.ts";
import { openRunFeed } from "./run-feed.ts";
import type { Session } from "./session.ts";
import { pad, widthOf } from "./text/width.ts";
import { byLevel } from "./watch/tree.ts";

/** A prefix wider than this would leave no room for the log. */
const mostPrefixColumns = 24;

function prefixes(session: Session, names: readonly string[]): (name: string) => string {
  const widest = Math.min(mostPrefixColumns, Math.max(0, ...names.map(widthOf)));
  return (name) => `${session.paint("cyan", pad(name, widest))} | `;
}

/** The logs of all tasks that have begun, one after another in the run's order. */
export async function printAllLogs(session: Session, run: RunView, query: LogQuery): Promise<void> {
  const names = Object.keys(run.tasks).toSorted(byLevel(run.tasks));
  const begun = names.filter((name) => hasBegun(run, name));
  const prefix = prefixes(session, begun);
  if (begun.length === 0) session.say("no task has begun yet; follow the run with: ostler logs -f RUN");
  for (const name of begun) {
    const printing = printLog(session, { runId: run.id, task: name }, query, prefixedSink(session, prefix(name)));
    await unlessDeleted(session, name, printing);
  }
}

/** Of many logs one that was deleted is a word, not the end. */
async function unlessDeleted({ say }: Session, name: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "log_deleted") throw error;
    say(`--- ${name}: ${error.message} ---`);
  }
}

/** Tasks followed at a time. More streams than that would meet the server's limit; what is done makes room for what began later. */
const mostAtOnce = 32;

/** The logs of all tasks as they grow, from each one's beginning on, until the run ends. */
export async function followAllLogs(session: Session, run: RunView, query: LogQuery): Promise<void> {
  const { client, signal } = session;
  const prefix = prefixes(session, Object.keys(run.tasks));
  const silent = { onChange: () => {}, onLost: () => {}, onFound: () => {} };
  const feed = openRunFeed({ runs: client.runs, id: run.id, signal, watcher: silent });
  const seen = new Set<string>();
  const busy = new Set<Promise<void>>();
  const next = (now: RunView) => Object.keys(now.tasks).find((name) => !seen.has(name) && hasBegun(now, name));
  try {
    for (let name = await feed.until(next); name !== undefined; name = await feed.until(next)) {
      seen.add(name);
      const address = { runId: run.id, task: name };
      const sink = prefixedSink(session, prefix(name));
      const following = unlessDeleted(session, name, followTaskLog(session, { feed, address, query, sink, attempt: 1, goOn: true }));
      busy.add(following);
      void following.then(
        () => busy.delete(following),
        () => undefined,
      );
      if (busy.size >= mostAtOnce) await Promise.race(busy);
    }
    await Promise.all(busy);
  } finally {
    feed.close();
  }
}

function hasBegun(run: RunView, name: string): boolean {
  const task = run.tasks[name];
  return task !== undefined && task.attempt > 0;
}
