import type { Chance } from "./chance.ts";
import type { RedisServer } from "./redis-server.ts";
import type { Timeline } from "./timeline.ts";

/**
 * A process of the simulated world. Whatever it waits for may never come: when it is killed its promises stay open for
 * ever, and while it is frozen nothing reaches it.
 */
export interface Process {
  readonly isAlive: () => boolean;
  readonly kill: () => void;
  readonly freeze: (ms: number) => void;
  /** Redis does not answer it, nor hear it, for this long. */
  readonly cutOff: (ms: number) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** A round trip to Redis: `script` is applied at one moment, or never, and its answer may be lost. */
  readonly ask: <Answer>(script: () => Answer) => Promise<Answer>;
  /** Resolves with the answer once the process can take it in. */
  readonly deliver: <Answer>(delayMs: number, answer: () => Answer) => Promise<Answer>;
}

export interface ProcessOptions {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly redis: RedisServer;
}

const connectionLost = () => new Error("the connection to Redis was lost");

export function createProcess({ timeline, chance, redis }: ProcessOptions): Process {
  let alive = true;
  let frozenUntil = 0;
  let cutOffUntil = 0;
  /** The server that this process's connection leads to. */
  let metServer = "";

  /** Runs `happen` once the process is neither dead nor frozen; never if it is dead by then. */
  const whenAwake = (delayMs: number, happen: () => void) => {
    timeline.after(delayMs, () => {
      if (!alive) return;
      if (timeline.now() < frozenUntil) whenAwake(frozenUntil - timeline.now(), happen);
      else happen();
    });
  };

  const latency = () => (chance.happens(0.01) ? chance.between(20, 400) : chance.between(0, 2));
  const isReachable = () => redis.isUp() && timeline.now() >= cutOffUntil;

  const ask = <Answer>(script: () => Answer) =>
    new Promise<Answer>((resolve, reject) => {
      const fail = () => {
        metServer = "";
        whenAwake(chance.between(5, 200), () => reject(connectionLost()));
      };
      // What has been sent arrives, even if its sender has died meanwhile.
      timeline.after(latency(), () => {
        if (!isReachable()) return fail();
        const { server } = redis;
        const answer = attempt(() => {
          if (metServer !== server()) redis.meet();
          metServer = server();
          return script();
        });
        const sentBy = server();
        timeline.after(latency(), () => {
          if (!isReachable() || server() !== sentBy) return fail();
          whenAwake(0, () => ("value" in answer ? resolve(answer.value) : reject(answer.error)));
        });
      });
    });

  return {
    isAlive: () => alive,
    kill: () => {
      alive = false;
    },
    freeze: (ms) => {
      frozenUntil = Math.max(frozenUntil, timeline.now() + ms);
    },
    cutOff: (ms) => {
      cutOffUntil = Math.max(cutOffUntil, timeline.now() + ms);
    },
    sleep: (ms) => new Promise((resolve) => whenAwake(ms, resolve)),
    ask,
    deliver: (delayMs, answer) => new Promise((resolve) => whenAwake(delayMs, () => resolve(answer()))),
  };
}

function attempt<Answer>(script: () => Answer): { readonly value: Answer } | { readonly error: unknown } {
  try {
    return { value: script() };
  } catch (error) {
    return { error };
  }
}
