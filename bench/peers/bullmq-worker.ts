import { Worker } from "bullmq";
import { z } from "zod";
import { createRedis } from "../../src/redis/connection.ts";
import { childArgument, serveParent } from "../child.ts";

/** A BullMQ worker with a processor that does nothing; answers once `count` more jobs have completed. */
const { url, queue, concurrency } = z.object({ url: z.string(), queue: z.string(), concurrency: z.number() }).parse(childArgument());

let completed = 0;
let expected = Number.POSITIVE_INFINITY;
let done = () => {};

const worker = new Worker(queue, async () => {}, {
  connection: createRedis(url, "queue"),
  prefix: "{peer}",
  concurrency,
  removeOnComplete: { count: 0 },
});
worker.on("error", (error) => console.error(error));
worker.on("completed", () => {
  completed += 1;
  if (completed >= expected) done();
});
await worker.waitUntilReady();

serveParent(async (message) => {
  const count = z.number().parse(message);
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  expected = count;
  if (completed < expected) await finished;
  completed -= count;
  expected = Number.POSITIVE_INFINITY;
});
