import type { StepEnd } from "../driver.ts";
import type { ExecChunk, ExecStream } from "./pod-exec.ts";
import { throwIfRefused } from "./pod-talk.ts";

/** What a follower in the pod tells of its step (see follow.sh). */
export type StepEvent =
  | { readonly type: "started"; readonly startedAt: number }
  | { readonly type: "output"; readonly bytes: Uint8Array }
  | { readonly type: "ended"; readonly end: StepEnd; readonly outputBytes: number }
  | { readonly type: "absent" };

export interface StepStream {
  /** The next event; undefined once the connection has ended. Throws PodError if the step was refused. */
  readonly next: () => Promise<StepEvent | undefined>;
  /** Puts an event back for the next caller. */
  readonly unread: (event: StepEvent) => void;
  readonly close: () => void;
}

export function createStepStream(stream: ExecStream): StepStream {
  const chunks: AsyncIterator<ExecChunk> = stream.chunks[Symbol.asyncIterator]();
  const events: StepEvent[] = [];
  /** What comes before the follower has said a word: its channels overtake each other, or it is a platform's complaint. */
  const early: StepEvent[] = [];
  let hasBegun = false;
  let line = "";

  const readLines = (bytes: Uint8Array) => {
    line += Buffer.from(bytes).toString();
    const lines = line.split("\n");
    line = lines.pop() ?? "";
    for (const text of lines) {
      throwIfRefused(text);
      const event = parseEvent(text);
      if (event) events.push(event);
      if (event?.type !== "started") continue;
      hasBegun = true;
      events.push(...early.splice(0));
    }
  };

  return {
    next: async () => {
      for (;;) {
        const event = events.shift();
        if (event) return event;
        const { done, value } = await chunks.next();
        if (done) return undefined;
        if (value.channel === "stderr") readLines(value.bytes);
        else if (hasBegun) return { type: "output", bytes: value.bytes };
        else early.push({ type: "output", bytes: value.bytes });
      }
    },
    unread: (event) => {
      events.unshift(event);
    },
    close: stream.close,
  };
}

const ends: Readonly<Record<string, { readonly reason: "executor_lost" | "timeout" | "oom" | "pod_lost"; readonly message: string }>> = {
  executor_lost: { reason: "executor_lost", message: "the pod's time ran out while its executor was away" },
  timeout: { reason: "timeout", message: "the pod's deadline has passed" },
  oom: { reason: "oom", message: "the container's memory was used up, and a process of the step was killed for it" },
  pod_lost: { reason: "pod_lost", message: "the step's supervisor died: was it killed?" },
};

/** Other lines are programs' complaints. */
function parseEvent(line: string): StepEvent | undefined {
  const [word, how = "", what = "", startedAt, finishedAt, outputBytes] = line.split(" ");
  switch (word) {
    case "started":
      return { type: "started", startedAt: Number(how) };
    case "absent":
      return { type: "absent" };
    case "ended": {
      const times = { startedAt: Number(startedAt), finishedAt: Number(finishedAt) };
      const end: StepEnd =
        how === "exited"
          ? { type: "exited", exitCode: Number(what), ...times }
          : { type: "gone", ...(ends[what] ?? { reason: "pod_lost", message: `the step is over: ${what}` }) };
      return { type: "ended", end, outputBytes: Number(outputBytes) };
    }
    default:
      return undefined;
  }
}
