import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CuttingProxy {
  readonly socketPath: string;
  /** Cuts the connections of the next `count` execs once `bytes` of the answer have come through. */
  readonly cutNext: (count: number, bytes: number) => void;
  readonly close: () => void;
}

/** Stands between a driver and its daemon. */
export async function startCuttingProxy(daemon: string): Promise<CuttingProxy> {
  const folder = mkdtempSync(join(tmpdir(), "ostler-proxy-"));
  const socketPath = join(folder, "docker.sock");
  const sockets = new Set<Socket>();
  let left = 0;
  let limit = 0;

  const server = createServer((client) => {
    const upstream = connect(daemon);
    let allowed = Number.POSITIVE_INFINITY;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end).on("close", end);
    }
    client.on("data", (bytes) => {
      if (left > 0 && /^POST \/exec\/\w+\/start/.test(bytes.toString("latin1"))) {
        left -= 1;
        allowed = limit;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      client.write(bytes.subarray(0, allowed));
      allowed -= bytes.length;
      if (allowed > 0) return;
      client.end();
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    cutNext: (count, bytes) => {
      left = count;
      limit = bytes;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
