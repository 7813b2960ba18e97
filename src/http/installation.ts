import { OstlerError } from "../errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { type Installation, meetServer } from "../redis/meet.ts";
import { formatPosition } from "./position.ts";

/** Which installation this process serves, and in which history it believes it to be. */
export interface KnownInstallation {
  /** What Redis said last; throws `not_ready` before it has said anything. */
  readonly get: () => Installation;
  /** Asks Redis again: at start, at every readiness check, and when it refused an outdated history id. */
  readonly refresh: () => Promise<Installation>;
  /** An entry of the event stream as clients are told it (`Ostler-Event`). */
  readonly position: (entry: string) => string;
}

export function createKnownInstallation(redis: RedisConnection, keys: Keys): KnownInstallation {
  let known: Installation | undefined;
  const get = () => {
    if (!known) throw new OstlerError("not_ready", "this installation is still being set up");
    return known;
  };
  return {
    get,
    refresh: async () => {
      known = (await meetServer(redis, keys)) ?? known;
      return get();
    },
    position: (entry) => formatPosition({ history: get().history, entry, index: undefined }),
  };
}
