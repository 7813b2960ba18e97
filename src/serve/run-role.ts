import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { awaitStop, tellReady } from "./supervised.ts";

/** A role that was started in this process. */
export interface Role {
  /** Resolves once the role does its work; rejects if it cannot start. */
  readonly ready: Promise<void>;
  /** Where it listens, known once it is ready; absent for roles that nobody dials. */
  readonly url?: string;
  /** Settles if the role ends by itself, rejecting if that is a fault; a role without it never does. */
  readonly ended?: Promise<void>;
  readonly close: () => Promise<void>;
}

/** Less than what a supervisor waits before it kills. A role that cannot reach Redis may have nothing better to wait for. */
const closeTimeoutMs = 45_000;

/**
 * Runs one role in this process until it ends, or is told to close by a signal or by the end of its supervisor.
 * Closing is given a limit: what is left open then is the caller's to cut, by ending the process.
 */
export async function runRole(start: () => Promise<Role>, log: Logger, limitMs = closeTimeoutMs): Promise<void> {
  const stop = awaitStop();
  const role = await start();
  try {
    await Promise.race([role.ready.then(() => tellReady(role.url)), stop]);
    const cause = await Promise.race([role.ended?.then(() => "ended") ?? stop, stop]);
    log.info({ cause }, "closing");
  } finally {
    const over = new AbortController();
    const late = delay(limitMs, "late", { signal: over.signal }).catch(() => "closed");
    if ((await Promise.race([role.close(), late])) === "late") log.error({ limitMs }, "closing takes too long: ending all the same");
    over.abort();
  }
}
