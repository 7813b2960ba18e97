import { connect } from "node:net";
import type { Endpoint } from "./redis-config.ts";

/** What a server says when asked: `loading` reads its file, `silent` did not answer in time, `absent` refuses connections. */
export type Health = "ready" | "loading" | "silent" | "absent";

/** Asks on a connection of its own, without a driver's retries, so that a frozen server is told from a loading one. */
export async function probeRedis(endpoint: Endpoint, timeoutMs: number): Promise<Health> {
  const socket = endpoint.type === "socket" ? connect(endpoint.path) : connect(endpoint.port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<Health>();
  const timer = setTimeout(() => resolve("silent"), timeoutMs);
  let answer = "";
  socket.on("error", () => resolve("absent"));
  socket.on("close", () => resolve("absent"));
  socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
    if (/^\+PONG\r\n/m.test(answer)) resolve("ready");
    else if (/^-LOADING/m.test(answer)) resolve("loading");
  });
  // AUTH is answered while loading too.
  socket.write(endpoint.type === "port" ? `AUTH default ${endpoint.password}\r\nPING\r\n` : "PING\r\n");
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
