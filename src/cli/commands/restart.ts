import type { Command } from "commander";
import type { RestartPlan } from "../../runs/view.ts";
import { afterCreation } from "../created.ts";
import { collectEnvironment } from "../environment-option.ts";
import { findRun } from "../find-run.ts";
import type { Open } from "../open.ts";
import type { Session } from "../session.ts";
import { showList } from "../show.ts";

interface Flags {
  readonly fromFailed?: boolean;
  readonly plan?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly watch?: boolean;
}

export function configure(command: Command, open: Open): void {
  command
    .argument("<run>", "RUN; it must be over")
    .option("--from-failed", "keep what succeeded, and what it has saved")
    .option("--plan", "only say which tasks would run, and why")
    .option(
      "-e, --env <name=value>",
      "replace the run's whole environment by these (repeatable); staticEnvironment stays",
      collectEnvironment,
    )
    .option("--clear-env", "replace the run's environment by none")
    .option("-w, --watch", "follow the new run, and exit with its fate")
    .action(async (text: string, flags: Flags) => {
      const session = open();
      const old = await findRun(session, text);
      const environment = flags.env ?? (flags.clearEnv ? {} : undefined);
      const options = { fromFailed: flags.fromFailed ?? false, ...(environment && { environment }) };
      if (flags.plan) return showPlan(session, await session.client.runs.planRestart(old.id, options, session.signal));
      const run = await session.client.runs.restart(old.id, options, session.signal);
      await afterCreation(session, open, { run, watch: flags.watch ?? false });
    });
}

async function showPlan(session: Session, plan: RestartPlan): Promise<void> {
  const rows = [
    ...plan.recreate.map(({ task, why }) => ({ task, does: "run", why })),
    ...plan.keep.map(({ task, from }) => ({ task, does: "keep", why: `from run ${from}` })),
  ];
  await showList(session, {
    rows,
    value: plan,
    name: ({ task }) => task,
    empty: "nothing would run",
    columns: [
      { title: "TASK", text: ({ task }) => task },
      { title: "DO", text: ({ does }) => does },
      { title: "WHY", text: ({ why }) => why },
    ],
  });
}
