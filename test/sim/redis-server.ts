import type { Keys } from "../../src/redis/keys.ts";
import type { Chance } from "./chance.ts";
import { commandsOn, createRedisData, type RedisCommands, type RedisData } from "./redis-data.ts";
import type { Timeline } from "./timeline.ts";

/** One Redis server with its disk. */
export interface RedisServer {
  readonly commands: RedisCommands;
  readonly now: () => number;
  readonly isUp: () => boolean;
  /** Changes with every restart: whoever is connected to another one is connected to nothing. */
  readonly server: () => string;
  /** What every new connection runs first: a server that was not seen before starts a new history. */
  readonly meet: () => void;
  /** Resolves when something is next appended to a stream, for readers that block. */
  readonly appended: () => Promise<void>;
  /** Scripts that write fail for this long, commits included. */
  readonly fill: (ms: number) => void;
  readonly isFull: () => boolean;
  /** Remembers what is there now, to be what is there again after `restore`. */
  readonly snapshot: () => RedisData;
  /** Goes down for `downMs` and comes back with what the disk has. */
  readonly restart: (disk: RedisData, downMs: number) => void;
  /** A replica that lags takes over behind a proxy: nobody's connection breaks. */
  readonly failOver: (replica: RedisData) => void;
}

/** 2026-11-23T00:00:00Z: ids hold real times. */
const epochMs = Date.UTC(2026, 10, 23);

export function createRedisServer({
  timeline,
  chance,
  keys,
}: {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly keys: Keys;
}): RedisServer {
  let data = createRedisData();
  let server = "server-1";
  let restarts = 0;
  let downUntil = 0;
  let fullUntil = 0;
  const now = () => epochMs + timeline.now();
  let appended = Promise.withResolvers<void>();
  const onAppend = () => {
    appended.resolve();
    appended = Promise.withResolvers();
  };
  const commands = commandsOn(() => data, now, onAppend);
  return {
    commands,
    now,
    appended: () => appended.promise,
    isUp: () => timeline.now() >= downUntil,
    server: () => server,
    meet: () => {
      if (commands.hash(keys.meta).get("server") === server) return;
      commands.hset(keys.meta, "server", server, "history", `history-${chance.id(8)}`);
    },
    fill: (ms) => {
      fullUntil = timeline.now() + ms;
    },
    isFull: () => timeline.now() < fullUntil,
    snapshot: () => structuredClone(data),
    restart: (disk, downMs) => {
      restarts += 1;
      server = `server-${restarts + 1}`;
      downUntil = timeline.now() + downMs;
      data = disk;
    },
    failOver: (replica) => {
      data = replica;
    },
  };
}
