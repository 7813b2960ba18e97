import { setTimeout as delay } from "node:timers/promises";

/** How fast the simulated cluster does what a real one takes its time for. */
export interface Pacing {
  /** Divides the cluster's own delays: status rounds, back-offs, the making of containers, node monitoring. */
  readonly speed: number;
  /** Divides the seconds that users ask for: grace periods, deadlines, probe periods. */
  readonly userSpeed: number;
}

/** Waits a real cluster's milliseconds; ends early, without error, when the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** Between two looks of a node agent at its containers. */
export const roundMs = 1000;
/** Making a sandbox: network, cgroups. */
export const sandboxMs = 300;
/** The node agent looks at waiting pods again. */
export const resyncMs = 10_000;
/** The first back-off of images and of crashing containers; it doubles up to five minutes. */
export const firstBackOffMs = 10_000;
export const longestBackOffMs = 300_000;
