import type { RunView } from "../../runs/view.ts";
import { exitCodeOfRun } from "../exit-code.ts";
import { Interrupted } from "../failure.ts";
import { reportFailure } from "../failure-report.ts";
import { quoted, referenceOf } from "../reference-text.ts";
import type { Session } from "../session.ts";
import { dataText } from "../show.ts";
import { canRedraw } from "../terminal.ts";
import { followRun } from "./follow-run.ts";
import { createLineView } from "./line-view.ts";
import { createLiveView } from "./live-view.ts";

/**
 * Shows a run until it ends, and gives back its fate as an exit code. Where data was asked for (json, yaml, name), the showing
 * is talk and goes to stderr; the run as it ended follows on stdout. An interruption detaches and says how to come back.
 */
export async function watchRun(session: Session, run: RunView): Promise<number> {
  const { shell, client, signal, format, print } = session;
  const output = format === "table" ? shell.stdout : shell.stderr;
  const reference = referenceOf(run);
  const view = canRedraw(output, shell.env) ? createLiveView({ session, output, reference }) : createLineView({ session, output });
  try {
    const ended = await followRun({ runs: client.runs, id: run.id, signal, watcher: view });
    view.close();
    await reportFailure(session, output, ended);
    if (format === "name") print(ended.id);
    else if (format !== "table") print(await dataText(format, ended));
    return exitCodeOfRun(ended);
  } catch (error) {
    view.close();
    if (error instanceof Interrupted) sayHowToComeBack(session, reference);
    throw error;
  }
}

function sayHowToComeBack({ say }: Session, reference: string): void {
  say(`detached; ${reference} goes on`);
  say(`  come back:  ostler watch ${quoted(reference)}`);
  say(`  end it:     ostler stop ${quoted(reference)}`);
}
