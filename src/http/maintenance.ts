import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Commander } from "../actors/commander.ts";
import { OstlerError } from "../errors.ts";
import { randomId } from "../ids.ts";
import { inParallel } from "../ost/in-parallel.ts";
import { jsonBytes, readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { listActors } from "./list-actors.ts";

/** `settings/maintenance.json`: written before it counts, so that it outlives Redis. */
const Setting = z.object({ version: z.literal(1), on: z.boolean(), since: z.string(), by: z.string() });

export interface MaintenanceState {
  readonly maintenance: boolean;
  /** Null while it is off. */
  readonly since: string | null;
  readonly by: string | null;
}

/** The installation's switch: while it is on no run is created and none leaves its queue; what runs goes on. */
export interface Maintenance {
  readonly get: () => Promise<MaintenanceState>;
  /** Resolves once every shard has committed it. Throws `not_confirmed` if one does not; repeating it is safe. */
  readonly set: (on: boolean, by: string) => Promise<void>;
}

export interface MaintenanceDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
  readonly store: Store;
  readonly commander: Pick<Commander, "ask">;
}

const settingKey = layout.setting("maintenance");
const asksAtOnce = 64;
const drainMs = 15_000;
const lookEveryMs = 20;

export function createMaintenance({ redis, keys, shards, store, commander }: MaintenanceDeps): Maintenance {
  const isOn = async () => (await redis.hget(keys.meta, "maintenance")) === "1";

  /** Until the mail of what was created before is decided: from then on, every root group that a run waits in has a state. */
  const drain = async (shard: number, sinceMs: number, deadline: number) => {
    for (;;) {
      const [first] = await redis.xrange(keys.inbox(shard), "-", "+", "COUNT", 1);
      if (first === undefined || Number(first[0].split("-")[0]) > sinceMs) return;
      if (performance.now() > deadline) {
        throw new OstlerError(
          "not_confirmed",
          `shard ${shard} has no scheduler that takes note of it; the switch stays set, and repeating this is safe`,
        );
      }
      await delay(lookEveryMs);
    }
  };

  const tell = async (on: boolean) => {
    const [seconds, microseconds] = await redis.time();
    const sinceMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    const deadline = performance.now() + drainMs;
    await Promise.all(Array.from({ length: shards }, (_, shard) => drain(shard, sinceMs, deadline)));
    const roots = await listActors(redis, keys, { kind: "root-group", shards });
    await inParallel(roots, asksAtOnce, async (id) => {
      await commander.ask({ kind: "root-group", id }, { type: "maintenance", on }, { requestId: randomId(20) });
    });
  };

  return {
    get: async () => {
      if (!(await isOn())) return { maintenance: false, since: null, by: null };
      const setting = await readJson(store, settingKey, Setting);
      return { maintenance: true, since: setting?.since ?? null, by: setting?.by ?? null };
    },
    set: async (on, by) => {
      const setting: z.infer<typeof Setting> = { version: 1, on, since: new Date().toISOString(), by };
      if (on !== (await isOn())) await store.put(settingKey, jsonBytes(setting));
      if (on) await redis.hset(keys.meta, "maintenance", "1");
      else await redis.hdel(keys.meta, "maintenance");
      await tell(on);
    },
  };
}
