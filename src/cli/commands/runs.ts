import { type Command, InvalidArgumentError, Option } from "commander";
import type { RunQuery, RunSummary } from "../../client/runs.ts";
import type { RunPhase, RunResult } from "../../runs/states.ts";
import { findRun } from "../find-run.ts";
import type { Open } from "../open.ts";
import { printEvents } from "../print-events.ts";
import { referenceOf } from "../reference-text.ts";
import { runColumns } from "../run-columns.ts";
import { runDetails } from "../run-details.ts";
import type { Session } from "../session.ts";
import { dataText, showList } from "../show.ts";
import { tableWidth } from "../terminal.ts";
import { timeOption } from "../time-option.ts";

const phases = ["setuperror", "queued", "cancelled", "running", "finished"] as const satisfies readonly RunPhase[];
const results = ["unknown", "stopped", "success", "failed"] as const satisfies readonly RunResult[];
/** What one request may ask for. */
const pageSize = 500;

interface ListFlags {
  readonly group?: string;
  readonly recursive?: boolean;
  readonly phase?: RunPhase[];
  readonly result?: RunResult[];
  readonly name?: string;
  readonly annotation?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly lastRun?: boolean;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

export function configure(command: Command, open: Open): void {
  configureList(command.command("list").alias("ls").description("list runs, the newest first"), open);

  command
    .command("get")
    .description("show a run")
    .argument("<run>", "RUN")
    .action(async (text: string) => showRun(open(), text));

  command
    .command("events")
    .description("print what happened in a run, change by change")
    .argument("<run>", "RUN")
    .option("-f, --follow", "go on until the run ends")
    .action(async (text: string, { follow = false }: { readonly follow?: boolean }) => {
      const session = open();
      await printEvents(session, (await findRun(session, text)).id, { follow });
    });

  command
    .command("delete")
    .alias("rm")
    .description("delete runs that are over, with their logs and artifacts; their numbers stay taken")
    .argument("<run...>", "RUN, or several")
    .action(async (texts: readonly string[]) => {
      const session = open();
      // All are found before the first goes: a typing error deletes nothing.
      const runs = await Promise.all(texts.map((text) => findRun(session, text)));
      for (const run of runs) {
        await session.client.runs.delete(run.id, session.signal);
        session.say(`deleted ${referenceOf(run)}  ${run.id}`);
      }
    });
}

function configureList(command: Command, open: Open): void {
  command
    .option("-g, --group <group>", "only of this group")
    .option("-r, --recursive", "with --group: also of the groups below it")
    .addOption(new Option("--phase <phase...>", "only in these phases").choices(phases))
    .addOption(new Option("--result <result...>", "only with these results").choices(results))
    .option("--name <name>", "only of this name")
    .option("--annotation <key:value...>", "only with all of these")
    .option("--since <time>", "created after: how long ago (2h) or a time")
    .option("--until <time>", "created before")
    .option("--last-run", "only the newest of each group")
    .option("--oldest-first", "in the order of creation")
    .option("-n, --limit <number>", "at most so many", positive, 25)
    .action(async (flags: ListFlags) => {
      const session = open();
      const { runs, isMore } = await fetchRuns(session, flags);
      const empty = "no runs";
      await showList(session, { rows: runs, value: runs, name: ({ id }) => id, empty, columns: runColumns(session) });
      if (isMore && session.format === "table") session.say(`there are more; see them with --limit ${flags.limit * 4}`);
    });
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("expected a number from 1 on");
  return Number(text);
}

async function fetchRuns(session: Session, { oldestFirst, limit, since, until, ...flags }: ListFlags) {
  const nowMs = session.shell.now();
  const query: RunQuery = {
    ...flags,
    since: timeOption("--since", since, nowMs),
    until: timeOption("--until", until, nowMs),
    order: oldestFirst ? "oldest" : undefined,
  };
  const runs: RunSummary[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await session.client.runs.list({ ...query, cursor, limit: Math.min(pageSize, limit - runs.length) }, session.signal);
    runs.push(...page.runs);
    if (page.partial) session.say("the server is still building its index: older runs may be missing");
    if (page.nextCursor === null || runs.length >= limit) return { runs, isMore: page.nextCursor !== null };
    cursor = page.nextCursor;
  }
}

async function showRun(session: Session, text: string): Promise<void> {
  const { format, print, shell, client } = session;
  const run = await findRun(session, text);
  if (format === "name") return print(run.id);
  if (format !== "table") return print(await dataText(format, run));
  const width = tableWidth(shell.stdout);
  for (const line of runDetails({ run, nowMs: shell.now() + client.clockSkewMs(), width })) print(line);
}
