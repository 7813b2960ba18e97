import type { Command } from "commander";
import type { Open } from "../open.ts";
import { dataText, showList } from "../show.ts";

export function configure(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list the executors that see the same pods, and what lost ones have left there")
    .action(async () => {
      const session = open();
      const { executorGroups } = await session.client.executorGroups.list(session.signal);
      await showList(session, {
        rows: executorGroups,
        value: executorGroups,
        name: ({ id }) => id,
        empty: "no executor groups",
        columns: [
          { title: "GROUP", text: ({ id }) => id },
          { title: "MEMBERS", text: ({ members }) => members.map(({ executorId, state }) => `${executorId} (${state})`).join(", ") },
          { title: "LEFTOVERS", text: ({ leftovers }) => leftovers.map(({ message }) => message).join("; ") },
        ],
      });
    });

  command
    .command("get")
    .description("show one: its members and their siblings, heartbeats, leftovers")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const { client, signal, format, print } = open();
      const group = await client.executorGroups.get(id, signal);
      print(format === "name" ? group.id : await dataText(format === "json" ? "json" : "yaml", group));
    });
}
