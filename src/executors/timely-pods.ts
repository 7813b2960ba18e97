import { setTimeout as delay } from "node:timers/promises";
import type { Driver, PodHandle } from "./driver.ts";

const pollMs = 100;

export interface TimelyPodsOptions {
  readonly ttlMs: number;
  /** Whether a renewal was answered within the last ttl. */
  readonly mayStart: () => boolean;
  /** When (ms, this host's clock) this executor was surely alive last. */
  readonly renewedAt: () => number;
}

/**
 * A pod that took long to start (an image was pulled) would start no step any more, and one of a predecessor may be as late:
 * they are told that their executor lives before anybody uses them. Others hear of it with the heartbeats, or are over by then.
 */
export function keepPodsInTime(driver: Driver, { ttlMs, mayStart, renewedAt }: TimelyPodsOptions): Driver {
  /** Not while this executor may have been declared lost without knowing it: the pod's own time then decides. */
  const touch = async (pod: PodHandle, signal: AbortSignal) => {
    while (!mayStart()) await delay(pollMs, undefined, { signal });
    await pod.touch(renewedAt(), signal);
  };
  return {
    ...driver,
    start: async (spec, onProgress, signal) => {
      const pod = await driver.start(spec, onProgress, signal);
      if (Date.now() >= spec.startBy - ttlMs / 2) await touch(pod, signal);
      return pod;
    },
    attach: async (podId, signal) => {
      const pod = await driver.attach(podId, signal);
      if (pod && mayStart()) await pod.touch(renewedAt(), signal);
      return pod;
    },
  };
}
