import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomId } from "../../src/ids.ts";

/** A way to a Redis that can be made to carry nothing any more, while every connection stays open: a proxy whose server is gone. */
export interface SilentLine {
  readonly url: string;
  /** What is connected now gets no answer any more; connections made later do. */
  readonly silence: () => void;
  readonly close: () => Promise<void>;
}

/** A line to the Redis that listens on a unix socket. */
export async function openSilentLine(redisUrl: string): Promise<SilentLine> {
  const path = join(tmpdir(), `ostler-line-${randomId(8)}.sock`);
  const sockets = new Set<Socket>();
  const answers = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(new URL(redisUrl).pathname);
    behind.pipe(client);
    client.pipe(behind);
    answers.add(behind);
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    client.on("close", () => behind.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    url: `unix://${path}`,
    silence: () => {
      for (const behind of answers) behind.unpipe().resume();
      answers.clear();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
