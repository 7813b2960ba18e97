import { isTerminalPhase } from "../../runs/states.ts";
import type { Draft } from "./draft.ts";
import { mailToRootGroup } from "./mail.ts";
import type { RunMessageOf } from "./messages.ts";
import { activeTasks, giveUp, stopTask } from "./stop-tasks.ts";

/**
 * A message of this run could not be decided. Nothing of it goes on: attempts are stopped, requests taken back, its place in the
 * root group given up. What has not begun stays as it is, for somebody to look at, until a day has passed or an operator stops it;
 * a run that is being stopped already is given up at once.
 */
export function quarantine(draft: Draft, { reason }: RunMessageOf<"quarantine">): void {
  const { head } = draft;
  if (head.quarantine || isTerminalPhase(head.phase)) return;
  draft.change({ quarantine: { at: draft.now, why: reason } });
  const { id, root } = draft.run.facts;
  draft.effect(mailToRootGroup(root, { type: "run-ended", run: id }));
  if (head.stop) {
    giveUp(draft, "ostler");
    return;
  }
  for (const index of activeTasks(draft)) {
    if (draft.task(index).stage !== "approval") stopTask(draft, index, "internal");
  }
}
