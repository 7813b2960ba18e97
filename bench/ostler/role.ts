import { pino } from "pino";
import { z } from "zod";
import { startScheduler } from "../../src/actors/scheduler.ts";
import { startExecutor } from "../../src/executors/executor.ts";
import { createMemoryDriver } from "../../src/executors/memory/memory-driver.ts";
import { childArgument, serveParent } from "../child.ts";
import { settings } from "./settings.ts";

/** A scheduler or an executor with the in-process driver, as its role starts it. */
const { role, ...place } = z
  .object({ url: z.string(), folder: z.string(), role: z.enum(["scheduler", "executor"]) })
  .parse(childArgument());
const config = settings(place);
const log = pino({ level: config.logLevel }, pino.destination(2));

const started = role === "scheduler" ? startScheduler({ config, log }) : startExecutor({ config, log, driver: createMemoryDriver() });
await started.ready;

serveParent(async () => {
  await started.close();
});
