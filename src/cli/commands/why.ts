import type { Command } from "commander";
import { explainRun, explainTask } from "../explain.ts";
import { sayNext } from "../failure-report.ts";
import { findTask } from "../find-run.ts";
import type { Open } from "../open.ts";
import { referenceOf } from "../reference-text.ts";
import { dataText } from "../show.ts";

export function configure(command: Command, open: Open): void {
  command.argument("<run[/task]>", "RUN or RUN/TASK").action(async (text: string) => {
    const session = open();
    const { client, format, print, shell } = session;
    const { run, task } = await findTask(session, text);
    if (format === "json" || format === "yaml") return print(await dataText(format, task ? task.view : run));
    const nowMs = shell.now() + client.clockSkewMs();
    const lines = task ? explainTask(run, task.name, nowMs) : explainRun(run, referenceOf(run), nowMs);
    for (const line of lines) print(line);
    if (run.phase === "finished" && run.result === "failed") sayNext(session, run);
  });
}
