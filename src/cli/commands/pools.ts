import type { Command } from "commander";
import type { Open } from "../open.ts";
import { dataText, showList } from "../show.ts";
import { durationText } from "../text/time.ts";

export function configure(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list pools: what waits, for how long, and what is free")
    .action(async () => {
      const session = open();
      const { pools } = await session.client.pools.list(session.signal);
      await showList(session, {
        rows: pools,
        value: pools,
        name: ({ id }) => id,
        empty: "no pools",
        columns: [
          { title: "POOL", text: ({ id }) => id },
          { title: "WAITING", text: ({ waiting }) => String(waiting) },
          { title: "OLDEST", text: ({ oldestWaitSeconds }) => (oldestWaitSeconds === null ? "" : durationText(oldestWaitSeconds * 1000)) },
          { title: "RUNNING", text: ({ liveAssignments, taskLimit }) => `${liveAssignments}/${taskLimit}` },
          { title: "FREE", text: ({ freeSlots }) => String(freeSlots) },
          { title: "EXECUTORS", text: ({ executors }) => executors.join(", ") },
        ],
      });
    });

  command
    .command("get")
    .description("show one: what waits in it by requirement")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const { client, signal, format, print } = open();
      const pool = await client.pools.get(id, signal);
      print(format === "name" ? pool.id : await dataText(format === "json" ? "json" : "yaml", pool));
    });
}
