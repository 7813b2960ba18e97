import { type Command, InvalidArgumentError } from "commander";
import type { LogQuery } from "../../client/logs.ts";
import type { RunView } from "../../runs/view.ts";
import { followAllLogs, printAllLogs } from "../all-logs.ts";
import { usage } from "../failure.ts";
import { type FoundTask, findTask } from "../find-run.ts";
import { stepAddress } from "../log-target.ts";
import type { Open } from "../open.ts";
import { followTaskLog, plainSink, printLog, whyNoLog } from "../print-logs.ts";
import { openRunFeed } from "../run-feed.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly follow?: boolean;
  readonly attempt?: number;
  readonly tail?: number;
  readonly timestamps?: boolean;
  readonly grep?: string;
  readonly service?: string;
}

export function configure(command: Command, open: Open): void {
  command
    .argument("<run[/task[/step]]>", "RUN, RUN/TASK or RUN/TASK/STEP; a step by its number from 0, its name, or `setup`")
    .option("-f, --follow", "go on as the log grows, through retries, until its end")
    .option("--attempt <number>", "of this attempt instead of the last", whole)
    .option("-n, --tail <lines>", "only the last lines", whole)
    .option("-t, --timestamps", "put the time before each line")
    .option("--grep <pattern>", "only lines that match (RE2)")
    .option("--service <number>", "of a container after the first, by its position from 1")
    .addHelpText("after", "\nThe logs of a whole run come with the task's name before each line.")
    .action(async (text: string, flags: Flags) => {
      const session = open();
      const { run, task, step } = await findTask(session, text);
      if (task) return oneTask(session, { run, task, step, flags });
      if (flags.attempt !== undefined || flags.service !== undefined) throw usage("--attempt and --service need a task: RUN/TASK");
      await (flags.follow ? followAllLogs : printAllLogs)(session, run, queryOf(flags));
    });
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("expected a number from 1 on");
  return Number(text);
}

interface OneTask {
  readonly run: RunView;
  readonly task: FoundTask;
  readonly step: string | undefined;
  readonly flags: Flags;
}

function queryOf({ tail, timestamps, grep }: Flags): LogQuery {
  return { tail, timestamps: timestamps || undefined, grep };
}

async function oneTask(session: Session, { run, task, step, flags }: OneTask): Promise<void> {
  const { client, say, signal } = session;
  const address = { runId: run.id, task: task.name, service: flags.service, ...stepAddress(task.view, step) };
  const sink = plainSink(session);
  if (!flags.follow) {
    const why = whyNoLog(task.name, task.view);
    if (why !== undefined) say(why);
    return printLog(session, { ...address, attempt: flags.attempt }, queryOf(flags), sink);
  }
  const silent = { onChange: () => {}, onLost: () => {}, onFound: () => {} };
  const feed = openRunFeed({ runs: client.runs, id: run.id, signal, watcher: silent });
  try {
    const attempt = flags.attempt ?? Math.max(1, task.view.attempt);
    await followTaskLog(session, { feed, address, query: queryOf(flags), sink, attempt, goOn: flags.attempt === undefined });
  } finally {
    feed.close();
  }
}
