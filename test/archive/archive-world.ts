import { type Job, Queue } from "bullmq";
import pino from "pino";
import { onTestFinished } from "vitest";
import { startArchiver } from "../../src/archive/worker.ts";
import { openDirectory } from "../../src/ost/directory.ts";
import type { Store } from "../../src/ost/store.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { temporaryFolder } from "../ost/temporary-folder.ts";
import { startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

export interface LoggedLine {
  readonly level: number;
  readonly msg: string;
}

/** A Redis, an object storage, and on demand the worker of the archive queue, all of the running test alone. */
export async function archiveWorld() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const keys = createKeys("{test}");
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  const folder = await temporaryFolder();
  const store = await openDirectory(folder, { fsync: false });
  const lines: LoggedLine[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const outlets = { redis, keys, store, log };

  const connection = createRedis(server.url, "queue");
  const queue = new Queue("archive", { connection, prefix: keys.prefix });
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
  });

  return {
    ...outlets,
    server,
    folder,
    outlets,
    lines,
    /** Starts the worker; it ends with the test. */
    startWorker: async (using: Store = store) => {
      const archiver = await startArchiver({ ...outlets, store: using, connect: () => createRedis(server.url, "queue") });
      onTestFinished(archiver.close);
      return archiver;
    },
    /** Hands work to the queue and waits until it is done; answers whether it succeeded. */
    work: async (name: string, runs: readonly string[]): Promise<boolean> => {
      const job: Job = await queue.add(name, { runs });
      await until("the job has ended", async () => ["completed", "failed"].includes(await job.getState()));
      return (await job.getState()) === "completed";
    },
    /** What the run actors of shard 3 were told. */
    mail: async (): Promise<unknown[]> => {
      const entries = await redis.xrange(keys.inbox(3), "-", "+");
      return entries.flatMap(([, fields]) => JSON.parse(fields[1] ?? "[]"));
    },
  };
}
