import { pino } from "pino";
import { z } from "zod";
import { startScheduler } from "../../src/actors/scheduler.ts";
import type { Driver } from "../../src/executors/driver.ts";
import { startExecutor } from "../../src/executors/executor.ts";
import { createMemoryDriver } from "../../src/executors/memory/memory-driver.ts";
import { parseAssignmentId } from "../../src/ids.ts";
import { childArgument, serveParent } from "../child.ts";
import { settings } from "./settings.ts";

/** A scheduler or an executor with the in-process driver, as its role starts it. */
const { role, ...place } = z
  .object({ url: z.string(), folder: z.string(), role: z.enum(["scheduler", "executor"]) })
  .parse(childArgument());
const config = settings(place);
const log = pino({ level: config.logLevel }, pino.destination(2));

/** Spans (ms) from the end of a run's pod to the start of its next one. */
let hops: number[] = [];
let lastEnd: { readonly run: string; readonly at: number } | undefined;
const driver = createMemoryDriver();
const timedDriver: Driver = {
  ...driver,
  start: (pod, onProgress, signal) => {
    if (lastEnd && pod.id.startsWith(lastEnd.run)) hops.push(performance.now() - lastEnd.at);
    return driver.start(pod, onProgress, signal);
  },
  remove: async (podId, graceMs, signal) => {
    await driver.remove(podId, graceMs, signal);
    lastEnd = { run: parseAssignmentId(podId)?.runId ?? podId, at: performance.now() };
  },
};

const started = role === "scheduler" ? startScheduler({ config, log }) : startExecutor({ config, log, driver: timedDriver });
await started.ready;

serveParent(async () => {
  const taken = hops;
  hops = [];
  return taken;
});
