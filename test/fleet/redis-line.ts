import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";

/** One process's line to Redis, which a test can cut or freeze. */
export interface RedisLine {
  readonly url: string;
  /** Connections are reset, and new ones refused. */
  readonly cut: () => void;
  /** Nothing passes in either direction, and nobody is told. */
  readonly freeze: () => void;
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

/** A line from a unix socket at `path` to the one of the Redis at `redisUrl`. */
export async function layRedisLine(path: string, redisUrl: string): Promise<RedisLine> {
  const target = new URL(redisUrl).pathname;
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "cut" | "frozen" = "open";

  const join = (pair: readonly [Socket, Socket]) => {
    for (const [from, to] of [pair, [pair[1], pair[0]] as const]) {
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  };
  const server = createServer((socket) => {
    if (state === "cut") return socket.destroy();
    const pair = [socket, createConnection(target)] as const;
    pairs.add(pair);
    join(pair);
    if (state === "frozen") stop(pair);
  });
  const stop = ([a, b]: readonly [Socket, Socket]) => {
    a.unpipe(b).pause();
    b.unpipe(a).pause();
  };
  server.listen(path);
  await once(server, "listening");
  const cut = () => {
    state = "cut";
    for (const [a, b] of pairs) {
      a.destroy();
      b.destroy();
    }
  };
  return {
    url: `unix://${path}`,
    cut,
    freeze: () => {
      state = "frozen";
      for (const pair of pairs) stop(pair);
    },
    heal: () => {
      const was = state;
      state = "open";
      if (was !== "frozen") return;
      for (const [a, b] of pairs) {
        a.pipe(b);
        b.pipe(a);
      }
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
