import { pino } from "pino";
import { parseConfig } from "../../src/config.ts";
import { startExecutor } from "../../src/executors/executor.ts";

/** An executor in a process of its own, for tests that kill it. Tells its parent when it is ready, and ends with it. */
const role = startExecutor({
  config: parseConfig({ argv: [] }),
  log: pino({ level: process.env.TEST_LOG ?? "silent" }, pino.destination(2)),
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
