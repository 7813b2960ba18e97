import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import type { Open } from "../open.ts";
import type { Session } from "../session.ts";
import { dataText, showList } from "../show.ts";
import { ageText } from "../text/time.ts";

type DeadLetter = Awaited<ReturnType<Client["deadLetters"]["list"]>>["deadLetters"][number];

const pageSize = 500;

export function configureDeadLetters(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list them: when each was put aside, for whom it was, what went wrong")
    .action(async () => showLetters(open()));

  command
    .command("get")
    .description("show one, with the whole message")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const { client, signal, format, print } = open();
      print(await dataText(format === "json" ? "json" : "yaml", await client.deadLetters.get(id, signal)));
    });

  command
    .command("replay")
    .description("send one again; if it fails again, it comes back as another one")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const { client, signal, say } = open();
      await client.deadLetters.replay(id, signal);
      say(`${id} was sent again`);
    });

  command
    .command("drop")
    .description("forget one")
    .argument("<id>", "its id")
    .action(async (id: string) => {
      const { client, signal, say } = open();
      await client.deadLetters.drop(id, signal);
      say(`${id} is forgotten`);
    });
}

async function showLetters(session: Session): Promise<void> {
  const rows = await fetchAll(session);
  const { shell, client } = session;
  const nowMs = shell.now() + client.clockSkewMs();
  await showList<DeadLetter>(session, {
    rows,
    value: rows,
    name: ({ id }) => id,
    empty: "nothing was put aside",
    columns: [
      { title: "ID", text: ({ id }) => id },
      { title: "AGE", text: ({ at }) => ageText(nowMs - Date.parse(at)) },
      { title: "FOR", text: ({ actors }) => actors.join(", ") },
      { title: "REASON", text: ({ reason }) => reason },
      { title: "MESSAGE", text: ({ message }) => message },
    ],
  });
}

async function fetchAll({ client, signal }: Session): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.deadLetters.list({ limit: pageSize, cursor }, signal);
    letters.push(...page.deadLetters);
    if (page.nextCursor === null) return letters;
    cursor = page.nextCursor;
  }
}
