import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { heartbeat } from "../redis/scripts/heartbeat.ts";
import type { Refusal } from "../redis/scripts/incarnation-reply.ts";

/** An answered heartbeat. */
export interface Renewal {
  /** ms */
  readonly redisNow: number;
  /** When (ms, this host's clock) the executor was surely alive. */
  readonly sentAt: number;
  /** From 1. */
  readonly count: number;
  readonly leaveWhenEmpty: boolean;
}

export interface HeartbeatOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly executor: string;
  readonly incarnation: string;
  readonly intervalMs: number;
  readonly ttlMs: number;
  readonly fenceMs: number;
  readonly log: Logger;
  /** This process's own clock (ms): it only ever measures spans. */
  readonly monotonicNow: () => number;
  readonly onRenewed: (renewal: Renewal) => void;
  /** The incarnation counts no longer; the loop has ended. */
  readonly onRefused: (why: Refusal) => void;
  /** No renewal was answered for the fence time: whatever runs must be stopped. */
  readonly onFenced: () => void;
  readonly metrics?: Pick<Metrics["executor"], "heartbeat">;
}

export interface Heartbeats {
  /** A renewal was answered within the last ttl, so new pods may be started. */
  readonly mayStart: () => boolean;
  /** When (ms, this host's clock) the executor was surely alive last. */
  readonly renewedAt: () => number;
  readonly close: () => void;
}

/**
 * Renews the heartbeat on a timer of its own, whatever else the process does. A renewal counts from when it was sent.
 * Call it right after registering, which is the first renewal.
 */
export function startHeartbeats(options: HeartbeatOptions): Heartbeats {
  const { monotonicNow, intervalMs, ttlMs, fenceMs, log } = options;
  let renewedAt = monotonicNow();
  let aliveAt = Date.now();
  let count = 0;
  let inFlight = false;
  let fenced = false;
  let closed = false;

  const measured = async <T>(beat: () => Promise<T>): Promise<T> => {
    const startedAt = monotonicNow();
    let answered = false;
    try {
      const reply = await beat();
      answered = true;
      return reply;
    } finally {
      options.metrics?.heartbeat({ answered, seconds: (monotonicNow() - startedAt) / 1000 });
    }
  };

  const renew = async () => {
    const [sentAt, sentMonotonic] = [Date.now(), monotonicNow()];
    const reply = await measured(() =>
      heartbeat(options.redis, options.keys, { executor: options.executor, incarnation: options.incarnation, ttlMs }),
    );
    if (closed) return;
    if (reply.type !== "ok") {
      close();
      options.onRefused(reply.type);
      return;
    }
    renewedAt = sentMonotonic;
    aliveAt = sentAt;
    fenced = false;
    count += 1;
    options.onRenewed({ redisNow: reply.now, sentAt, count, leaveWhenEmpty: reply.leaveWhenEmpty });
  };

  const beat = () => {
    if (!fenced && monotonicNow() - renewedAt >= fenceMs) {
      fenced = true;
      log.error({ executorId: options.executor, fenceMs }, "no heartbeat was answered for the fence time: stopping everything");
      options.onFenced();
    }
    if (inFlight) return;
    inFlight = true;
    renew()
      .catch((err: unknown) => log.warn({ err, executorId: options.executor }, "a heartbeat was not answered"))
      .finally(() => {
        inFlight = false;
      });
  };

  const timer = setInterval(beat, intervalMs);
  const close = () => {
    closed = true;
    clearInterval(timer);
  };
  return { mayStart: () => !closed && monotonicNow() - renewedAt < ttlMs, renewedAt: () => aliveAt, close };
}
