import type { RunView } from "../runs/view.ts";
import { exitCode } from "./exit-code.ts";
import { reportFailure } from "./failure-report.ts";
import type { Open } from "./open.ts";
import { referenceOf } from "./reference-text.ts";
import type { Session } from "./session.ts";
import { dataText } from "./show.ts";
import { watchRun } from "./watch/watch-run.ts";

/** After a run was created: says which, and follows it if that was asked for. One that cannot run is over already. */
export async function afterCreation(
  session: Session,
  open: Open,
  { run, watch }: { readonly run: RunView; readonly watch: boolean },
): Promise<void> {
  const { format, print, say, shell } = session;
  const line = `created ${referenceOf(run)}  ${run.id}`;
  if (watch) {
    if (format === "table") print(line);
    else say(line);
    return open.exitWith(await watchRun(session, run));
  }
  if (format === "name") print(run.id);
  else print(format === "table" ? line : await dataText(format, run));
  if (run.phase !== "setuperror") return;
  await reportFailure(session, shell.stderr, run);
  open.exitWith(exitCode.setupError);
}
