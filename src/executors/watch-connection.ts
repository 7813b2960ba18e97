import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { meetServer } from "../redis/meet.ts";

const retryMs = 500;

export interface WatchedConnection {
  readonly commands: RedisConnection;
  readonly keys: Keys;
  /** The history id that was met when the connection was opened. */
  readonly history: string;
  readonly log: Logger;
  readonly onLost: () => void;
  /** Tried again until it succeeds. */
  readonly onBack: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Meets the server again after every reconnect: one that may have lost its last second starts a new history. */
export function watchConnection({ commands, keys, history, log, onLost, onBack, signal }: WatchedConnection): void {
  let known = history;
  let serial = 0;
  const meet = async () => {
    const met = await meetServer(commands, keys);
    if (met?.history !== known) log.warn({ history: met?.history }, "Redis has a new history: it may have forgotten something");
    known = met?.history ?? known;
    await onBack();
  };
  const recover = async (mine: number) => {
    while (mine === serial && !signal.aborted) {
      try {
        return await meet();
      } catch (err) {
        log.warn({ err }, "could not recover after a reconnect yet");
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  };
  commands.on("close", onLost);
  commands.on("ready", () => {
    serial += 1;
    void recover(serial);
  });
}
