import { ApiError } from "../client/api-error.ts";
import type { RunView } from "../runs/view.ts";
import { quoted, referenceOf } from "./reference-text.ts";
import type { Session } from "./session.ts";
import { runWord } from "./words.ts";

/**
 * Ends a run in the way that its phase allows: a queued one is cancelled, a running one stopped. One that starts or is
 * taken back in between is ended the other way. A run that is over is left alone: that is what was wanted.
 */
export async function endRun(session: Session, run: RunView, force: boolean): Promise<void> {
  const { client, say, signal } = session;
  const reference = referenceOf(run);
  const cancel = () => client.runs.cancel(run.id, signal);
  const stop = () => client.runs.stop(run.id, { force }, signal);
  switch (run.phase) {
    case "queued": {
      const isCancelled = await endOr(cancel, "run_not_queued", stop);
      return say(isCancelled ? `${reference} is cancelled` : `${reference} is stopping; follow it with: ostler watch ${quoted(reference)}`);
    }
    case "running": {
      const isStopping = await endOr(stop, "run_not_running", cancel);
      return say(isStopping ? `${reference} is stopping; follow it with: ostler watch ${quoted(reference)}` : `${reference} is cancelled`);
    }
    default:
      return say(`${reference} is over already: ${runWord(run)}`);
  }
}

/** True if the first way went through; the other one is taken if the server says that the phase is another by now. */
async function endOr(first: () => Promise<void>, code: string, other: () => Promise<void>): Promise<boolean> {
  try {
    await first();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== code) throw error;
    await other();
    return false;
  }
}
