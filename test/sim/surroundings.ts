import type { PodEntry } from "../../src/executors/driver.ts";
import type { Keys } from "../../src/redis/keys.ts";
import type { Chance } from "./chance.ts";
import type { RedisServer } from "./redis-server.ts";
import type { Timeline } from "./timeline.ts";

/** Of the heartbeat, as the default settings have it. */
export const ttlMs = 20_000;
/** A tenth of the default, so that worlds end sooner. */
export const fenceMs = 60_000;

/** Probabilities of what goes wrong all the time. All are 0 once the world has calmed down. */
export interface Faults {
  /** A report is appended twice, as a client does that repeats what it got no answer to. */
  duplicate: number;
  /** A report arrives seconds late, after others that were sent later. */
  delay: number;
  loseHeartbeat: number;
  /** Nobody is told of new work. */
  loseWake: number;
}

/** What everything in a simulated world shares. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly redis: RedisServer;
  readonly keys: Keys;
  readonly shards: number;
  readonly faults: Faults;
  /** Tells whoever looks into a world what happens in it, with the simulated time. */
  readonly trace: (what: string) => void;
  readonly onSiblingRemoval: (pod: PodEntry) => void;
}
