import type { Command } from "commander";
import type { GroupList } from "../../client/groups.ts";
import type { Open } from "../open.ts";
import { createdColumn, stateColumn } from "../run-columns.ts";
import type { Session } from "../session.ts";
import { showList } from "../show.ts";

type Group = GroupList["groups"][number];

export function configure(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list the groups right below one that have runs at or below them")
    .argument("[parent]", "a group; without one those at the top")
    .action(async (parent: string | undefined) => {
      const session = open();
      const groups = await fetchGroups(session, parent);
      await showList<Group>(session, {
        rows: groups,
        value: groups,
        name: ({ path }) => path,
        empty: "no groups",
        columns: [
          { title: "GROUP", text: ({ path }) => path },
          { title: "LAST RUN", text: ({ lastRun }) => (lastRun ? `${lastRun.group}#${lastRun.number}` : "") },
          stateColumn(session, ({ lastRun }) => lastRun),
          createdColumn(session, ({ lastRun }) => lastRun?.createdAt),
        ],
      });
    });
}

async function fetchGroups({ client, signal }: Session, parent: string | undefined): Promise<readonly Group[]> {
  const groups: Group[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.groups.list({ parent, limit: 500, cursor }, signal);
    groups.push(...page.groups);
    if (page.nextCursor === null) return groups;
    cursor = page.nextCursor;
  }
}
