import { join } from "node:path";
import { pino } from "pino";
import { parseConfig } from "../../src/config.ts";
import { startExecutor } from "../../src/executors/executor.ts";
import { createProcessDriver } from "../../src/executors/process/process-driver.ts";
import { playPlatform } from "./platform.ts";

/** An executor in a process of its own, on a platform that its test plays. Tells its parent what becomes of it, and ends with it. */
const config = parseConfig({ argv: [] });
const [podsDir = "", platform = ""] = process.argv.slice(2);
const driver = playPlatform(createProcessDriver({ podsDir, hostEnvironment: config.hostEnvironment }), platform);
const role = startExecutor({
  config,
  log: pino({ level: process.env["TEST_LOG"] ?? "silent" }, pino.destination(join(platform, "log"))),
  driver,
});
role.ended?.then(
  () => process.exit(0),
  (error: unknown) => {
    process.send?.({ type: "ended", error: error instanceof Error ? error.constructor.name : String(error) });
    process.exit(1);
  },
);
process.once("SIGTERM", () => {
  void role.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
await role.ready;
process.send?.({ type: "ready" });
