import { PodError } from "../driver.ts";
import type { PodEnd } from "./main-command.ts";

/** What was printed before the end may still be on its way; a node that vanished sends nothing more. */
const drainMs = 2_000;

/** One caller's interest in the pod's end. */
export interface EndHold {
  /** Aborted with the caller's signal, and with PodError some time after the pod's end. */
  readonly signal: AbortSignal;
  /** Throws PodError if the pod is over: nothing can be begun in it any more. */
  readonly throwIfOver: () => void;
  /** Resolves after `ms`, or when the pod is over. */
  readonly pause: (ms: number) => Promise<void>;
  readonly release: () => void;
}

export interface EndWatch {
  readonly hold: (signal: AbortSignal) => EndHold;
}

/** Watches for the pod's end while, and only while, somebody needs to know of it. What has ended stays so. */
export function createEndWatch(watchEnd: (signal: AbortSignal) => Promise<PodEnd>): EndWatch {
  const ended = Promise.withResolvers<void>();
  let over: PodError | undefined;
  let users = 0;
  let stop = new AbortController();

  const begin = () => {
    stop = new AbortController();
    const { signal } = stop;
    watchEnd(signal).then(
      ({ reason, message }) => {
        over ??= new PodError(reason, message);
        ended.resolve();
      },
      // Rejects only when it is aborted, by the last one who waited.
      () => {},
    );
  };

  return {
    hold: (signal) => {
      const own = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      let released = false;
      ended.promise.then(() => {
        if (!released) timer = setTimeout(() => own.abort(over), drainMs);
      });
      users += 1;
      if (users === 1 && !over) begin();
      const waiting = AbortSignal.any([signal, own.signal]);
      return {
        signal: waiting,
        throwIfOver: () => {
          waiting.throwIfAborted();
          if (over) throw over;
        },
        pause: (ms) => pause(ms, ended.promise, waiting),
        release: () => {
          if (released) return;
          released = true;
          clearTimeout(timer);
          users -= 1;
          if (users === 0) stop.abort();
        },
      };
    },
  };
}

async function pause(ms: number, ended: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const woken = Promise.withResolvers<void>();
  const timer = setTimeout(woken.resolve, ms);
  const abort = () => woken.resolve();
  signal.addEventListener("abort", abort, { once: true });
  await Promise.race([woken.promise, ended]);
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
  signal.throwIfAborted();
}
