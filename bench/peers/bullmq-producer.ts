import { type FlowJob, FlowProducer, Queue } from "bullmq";
import { z } from "zod";
import { createRedis } from "../../src/redis/connection.ts";
import { childArgument, serveParent } from "../child.ts";

/** Adds jobs to a queue: plain ones 500 at a time, or flows 50 at a time. */
const { url, queue: name } = z.object({ url: z.string(), queue: z.string() }).parse(childArgument());

const connection = createRedis(url, "queue");
const options = { removeOnComplete: true, removeOnFail: true };
const queue = new Queue(name, { connection, prefix: "{peer}", defaultJobOptions: options });
const flows = new FlowProducer({ connection, prefix: "{peer}" });
await queue.waitUntilReady();

const Request = z.discriminatedUnion("type", [
  z.object({ type: z.literal("jobs"), count: z.number() }),
  z.object({ type: z.literal("flows"), count: z.number(), shape: z.enum(["chain", "fan"]), size: z.number() }),
]);

function job(children?: FlowJob[]): FlowJob {
  return { name: "task", queueName: name, data: {}, opts: options, ...(children ? { children } : {}) };
}

/** A chain of `size` jobs, or one job that waits for `size` others. In a flow a parent runs after its children. */
function flow(shape: "chain" | "fan", size: number): FlowJob {
  if (shape === "fan") return job(Array.from({ length: size }, () => job()));
  let top = job();
  for (let i = 1; i < size; i++) top = job([top]);
  return top;
}

serveParent(async (message) => {
  const request = Request.parse(message);
  if (request.type === "jobs") {
    for (let left = request.count; left > 0; left -= 500)
      await queue.addBulk(Array.from({ length: Math.min(500, left) }, () => ({ name: "task", data: {} })));
    return;
  }
  for (let left = request.count; left > 0; left -= 50)
    await flows.addBulk(Array.from({ length: Math.min(50, left) }, () => flow(request.shape, request.size)));
});
