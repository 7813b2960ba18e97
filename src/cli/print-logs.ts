import type { LogAddress, LogPart, LogQuery } from "../client/logs.ts";
import { isTerminalStatus } from "../runs/states.ts";
import type { RunView, TaskView } from "../runs/view.ts";
import { contactTalk } from "./contact.ts";
import { createLinePrefixer } from "./line-prefix.ts";
import type { RunFeed } from "./run-feed.ts";
import type { Session } from "./session.ts";
import { write } from "./terminal.ts";
import { taskNote } from "./watch/task-note.ts";

/** Where text goes: as it comes, or each line behind the task's name. */
export interface LogSink {
  readonly push: (text: string) => Promise<void>;
  readonly flush: () => Promise<void>;
}

export function plainSink({ shell, signal }: Session): LogSink {
  return { push: (text) => write(shell.stdout, text, signal), flush: async () => {} };
}

/** For the logs of several tasks at once: lines stay whole. */
export function prefixedSink(session: Session, prefix: string): LogSink {
  const { shell, signal } = session;
  const lines = createLinePrefixer(prefix);
  const push = (text: string) => (text === "" ? Promise.resolve() : write(shell.stdout, text, signal));
  return { push: (text) => push(lines.push(text)), flush: () => push(lines.flush()) };
}

/** Prints what there is of a log. */
export async function printLog(session: Session, address: LogAddress, query: LogQuery, sink: LogSink): Promise<void> {
  const decoder = new TextDecoder();
  const stream = await session.client.logs.read(address, query, session.signal);
  for await (const bytes of stream) await sink.push(decoder.decode(bytes, { stream: true }));
  await sink.push(decoder.decode());
  await sink.flush();
}

export interface FollowTask {
  readonly feed: RunFeed;
  readonly address: Omit<LogAddress, "attempt">;
  readonly query: LogQuery;
  readonly sink: LogSink;
  /** The attempt to begin with. */
  readonly attempt: number;
  /** Whether to go on with retries. */
  readonly goOn: boolean;
}

/** Prints a task's log as it grows. A retry has a log of its own: it is announced, and followed too. */
export async function followTaskLog(session: Session, input: FollowTask): Promise<void> {
  const { feed, address, query, sink, goOn } = input;
  for (let attempt = input.attempt; ; attempt++) {
    await followAttempt(session, { ...address, attempt }, query, sink);
    if (!goOn) return;
    const next = await feed.until((run) => retryAfter(run, address.task, attempt));
    if (next !== "begun") return;
    session.say(`--- ${address.task}: attempt ${attempt + 1} ---`);
  }
}

/** Whether a further attempt has begun or will never; undefined while nobody knows. */
function retryAfter(run: RunView, name: string, attempt: number): "begun" | "never" | undefined {
  const task = run.tasks[name];
  if (!task) return "never";
  if (task.attempt > attempt) return "begun";
  return isTerminalStatus(task.status) ? "never" : undefined;
}

async function followAttempt(session: Session, address: LogAddress, query: LogQuery, sink: LogSink): Promise<void> {
  const { client, signal } = session;
  for await (const part of client.logs.follow(address, query, { signal, ...contactTalk(session) })) {
    if (part.type === "chunk") await sink.push(part.text);
    else await sayOf(session, address.task, part, sink);
  }
  await sink.flush();
}

async function sayOf({ say }: Session, task: string, part: Exclude<LogPart, { type: "chunk" }>, sink: LogSink): Promise<void> {
  await sink.flush();
  if (part.type === "gap") {
    say(
      part.to === null
        ? `--- ${task}: what followed is lost: ${part.why} ---`
        : `--- ${task}: ${part.to - part.from} bytes are lost: ${part.why} ---`,
    );
  } else if (!part.complete) say(`--- ${task}: the log is incomplete ---`);
}

/** Why there is nothing to print, where that is so. */
export function whyNoLog(name: string, task: TaskView): string | undefined {
  if (task.attempt > 0 || task.reusedFrom) return undefined;
  const note = taskNote(task);
  return `${name} has no log${note === "" ? "" : `: ${note}`}`;
}
