import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import type { Open } from "../open.ts";
import type { Session } from "../session.ts";
import { dataText, showList } from "../show.ts";
import type { Column } from "../text/table.ts";
import { ageText } from "../text/time.ts";

type Executor = Awaited<ReturnType<Client["executors"]["list"]>>["executors"][number];

export function configure(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list executors: state, load, last heartbeat")
    .action(async () => {
      const session = open();
      const { executors } = await session.client.executors.list(session.signal);
      await showExecutors(session, executors, executors);
    });

  command
    .command("get")
    .description("show an executor: what it runs, and why it gets nothing new or is gone")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const session = open();
      const executor = await session.client.executors.get(id, session.signal);
      if (session.format === undefined || session.format === "table") {
        if (executor.explanation !== null) session.say(`${executor.state}: ${executor.explanation}`);
        return session.print(await dataText("yaml", executor));
      }
      await showExecutors(session, [executor], executor);
    });

  command
    .command("cordon")
    .description("give it nothing new; what it has goes on")
    .argument("<id>", "its id")
    .option("--leave-when-empty", "it goes once its last task has ended")
    .action(async (id: string, { leaveWhenEmpty = false }: { readonly leaveWhenEmpty?: boolean }) => {
      const session = open();
      await session.client.executors.cordon(id, { leaveWhenEmpty }, session.signal);
      session.say(
        leaveWhenEmpty
          ? `${id} leaves when its last task has ended`
          : `${id} gets nothing new; undo it with: ostler executors uncordon ${id}`,
      );
    });

  command
    .command("uncordon")
    .description("give it tasks again")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const session = open();
      await session.client.executors.uncordon(id, session.signal);
      session.say(`${id} gets tasks again`);
    });

  command
    .command("delete")
    .alias("rm")
    .description("delete an executor that is gone")
    .argument("<id>", "its id")
    .option("--force", "end its assignments as lost without proof that its pods are gone: their retries may run beside them")
    .action(async (id: string, { force = false }: { readonly force?: boolean }) => {
      const session = open();
      await session.client.executors.delete(id, { force }, session.signal);
      session.say(`deleted ${id}`);
    });
}

async function showExecutors(session: Session, rows: readonly Executor[], value: unknown): Promise<void> {
  const empty = "no executors: start one with `ostler serve --roles executor`";
  await showList(session, { rows, value, name: ({ id }) => id, empty, columns: columnsOf(session) });
}

const stateStyles = { active: "green", cordoned: "yellow", suspect: "yellowBright", lost: "red" } as const;

function columnsOf({ paint, shell, client }: Session): readonly Column<Executor>[] {
  const nowMs = shell.now() + client.clockSkewMs();
  const beat = ({ lastHeartbeatAt }: Executor) =>
    lastHeartbeatAt === null ? "expired" : `${ageText(nowMs - Date.parse(lastHeartbeatAt))} ago`;
  return [
    { title: "EXECUTOR", text: ({ id }) => id },
    {
      title: "STATE",
      text: ({ state, leaveWhenEmpty }) => (leaveWhenEmpty ? "draining" : state),
      paint: (text, { state }) => paint(stateStyles[state] ?? "yellow", text),
    },
    { title: "TASKS", text: ({ liveAssignments, taskLimit }) => `${liveAssignments}/${taskLimit}` },
    { title: "POOL", text: ({ pool }) => pool },
    { title: "HEARTBEAT", text: beat },
    { title: "DRIVER", text: ({ driver }) => driver },
    { title: "ARCHS", text: ({ archs }) => archs.join(",") },
    { title: "LABELS", text: ({ labels }) => labelsText(labels) },
    { title: "GROUP", text: ({ groupId }) => groupId },
  ];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
