import { PodError, type PodHandle, type StepEnd, type StepSpec } from "../driver.ts";
import type { EndHold } from "./end-watch.ts";
import type { Actor, PodTalk } from "./pod-talk.ts";
import { assign, quote, scripts } from "./script.ts";
import { createStepStream, type StepEvent, type StepStream } from "./step-stream.ts";

/** What this process knows of a step. */
interface Step {
  ended: Extract<StepEvent, { type: "ended" }> | undefined;
  /** Opened by whoever started the step, at the output's begin, and not read since. */
  fresh: StepStream | undefined;
  /** Somebody reads a stream of it, and will hear of its end. */
  readers: number;
  /** Woken when it has ended, or nobody reads it any more. */
  waiters: (() => void)[];
}

const resumePauseMs = 50;
const maxPauseMs = 2_000;
const neverStarted: StepEnd = { type: "gone", reason: "pod_lost", message: "the step was never started" };

type Steps = Pick<PodHandle, "startStep" | "waitStep" | "followOutput" | "stopStep" | "startedSteps">;

/**
 * Steps by exec. One connection starts a step, tells its output and its end; it is opened again from the byte that was read last
 * as often as it drops. Who waits for a step that somebody reads needs no connection.
 */
export function createPodSteps(talk: PodTalk): Steps {
  const steps = new Map<number, Step>();
  const stepOf = (index: number): Step => {
    const known = steps.get(index);
    if (known) return known;
    const step: Step = { ended: undefined, fresh: undefined, readers: 0, waiters: [] };
    steps.set(index, step);
    return step;
  };
  const wake = (step: Step) => {
    for (const waiter of step.waiters.splice(0)) waiter();
  };

  const open = async (index: number, offset: number | "", hold: EndHold): Promise<StepStream> => {
    const script = assign({ index, offset }) + scripts.follow;
    return createStepStream(await talk.open("supervisor", script, hold.signal));
  };

  /** Reads until the step has ended and its output up to there was given; without `from`, output is left out. */
  async function* read(index: number, from: number | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const step = stepOf(index);
    const hold = talk.hold(signal);
    const patience = talk.patience();
    let position = from;
    let stream: StepStream | undefined;
    const close = () => stream?.close();
    hold.signal.addEventListener("abort", close);
    step.readers += 1;
    const isRead = () => step.ended !== undefined && (position === undefined || position >= step.ended.outputBytes);
    try {
      for (let pauseMs = resumePauseMs; !isRead(); pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
        hold.throwIfOver();
        try {
          stream = position === 0 || position === undefined ? takeFresh(step) : undefined;
          stream ??= await open(index, position ?? "", hold);
          for (let event = await stream.next(); event; event = await stream.next()) {
            patience.regain();
            if (event.type === "absent") return;
            if (event.type === "ended") {
              step.ended = event;
              wake(step);
            }
            if (event.type === "output" && position !== undefined) {
              position += event.bytes.length;
              pauseMs = resumePauseMs / 2;
              yield event.bytes;
            }
            if (isRead()) return;
          }
        } catch (error) {
          hold.signal.throwIfAborted();
          if (error instanceof PodError) throw error;
          patience.lose(error);
        } finally {
          close();
        }
        await hold.pause(pauseMs);
      }
    } finally {
      hold.signal.removeEventListener("abort", close);
      hold.release();
      step.readers -= 1;
      wake(step);
    }
  }

  return {
    startStep: (spec, signal) =>
      talk
        .persist(signal, async () => {
          const step = stepOf(spec.index);
          if (step.fresh) return true;
          // The caller's signal, not the hold's: the stream outlives this call.
          const stream = createStepStream(await talk.open(actorOf(spec), startScript(spec), signal));
          const early: StepEvent[] = [];
          for (let event = await stream.next(); event; event = await stream.next()) {
            if (event.type !== "started") {
              early.push(event);
              continue;
            }
            for (const before of early.reverse()) stream.unread(before);
            step.fresh = stream;
            return true;
          }
          return undefined;
        })
        .then(() => {}),
    followOutput: async function* (index, offset, signal) {
      try {
        yield* read(index, offset, signal);
      } catch (error) {
        // Why the pod is over is told by `waitStep`.
        if (!(error instanceof PodError)) throw error;
      }
    },
    waitStep: async (index, signal) => {
      const step = stepOf(index);
      try {
        while (!step.ended) {
          signal.throwIfAborted();
          if (step.readers > 0) {
            await woken(step, signal);
            continue;
          }
          for await (const _ of read(index, undefined, signal));
          if (!step.ended) return neverStarted;
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof PodError) return { type: "gone", reason: error.reason, message: error.message };
        throw error;
      }
      return step.ended.end;
    },
    stopStep: async (index, graceMs, signal) => {
      const killAt = performance.now() + graceMs;
      // The grace goes on while the connection is away.
      const script = () => assign({ index, grace: Math.round(Math.max(0, killAt - performance.now()) / 10) }) + scripts.stop;
      try {
        await talk.ask("supervisor", script, signal);
      } catch (error) {
        // Nothing runs in a pod that is over.
        if (!(error instanceof PodError)) throw error;
      }
    },
    startedSteps: async (signal) => {
      const answer = await talk.ask("supervisor", scripts.started, signal);
      const lines = answer.toString().trim().split("\n");
      return lines
        .filter((line) => line !== "")
        .map((line) => line.split(" ").map(Number))
        .map(([index = 0, startedAt = 0]) => ({ index, startedAt }))
        .sort((a, b) => a.index - b.index);
    },
  };
}

function takeFresh(step: Step): StepStream | undefined {
  const { fresh } = step;
  step.fresh = undefined;
  return fresh;
}

function actorOf({ user }: StepSpec): Actor {
  return user === undefined ? "step" : { user };
}

function startScript({ index, command, shell, workingDir, environment }: StepSpec): string {
  const exports = Object.entries(environment).map(([name, value]) => `export ${quote(`${name}=${value}`)}\n`);
  return [
    assign({ index, command, directory: workingDir, now: Date.now(), offset: 0 }),
    `_ostler_environment() {\n:\n${exports.join("")}}\n`,
    `set -- ${shell.map(quote).join(" ")}\n`,
    scripts.start,
    scripts.follow,
  ].join("");
}

function woken(step: Step, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    step.waiters.push(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}
