import { outlives, type Ruling, ruledState, rulingsOn } from "../../runs/advance.ts";
import { resultOf } from "../../runs/result.ts";
import { isAllTerminal } from "../../runs/run.ts";
import type { RunReason } from "../../runs/states.ts";
import type { Draft } from "./draft.ts";
import { goOnLater, mailToRootGroup, requestExecutor } from "./mail.ts";
import { mayAdvance } from "./state.ts";
import { archiveWork, definitionWork } from "./work.ts";

/**
 * How many tasks one decision decides about; what is left goes on in a decision of its own, so that no commit grows with a run of
 * 100,000 tasks. Less would cost middling runs more commits, more would keep the shard's other runs waiting.
 */
export const maxRulings = 1000;

/** Follows up what a decision has changed: tasks that now may start or are skipped, then the run's result and end. */
export function settle(draft: Draft): void {
  if (!mayAdvance(draft.head)) return;
  advance(draft);
  const { head } = draft;
  const isComplete = isAllTerminal(draft.counts);
  const result = resultOf({
    result: head.result,
    hasFailed: draft.failures > 0,
    isGivenUp: head.timedOut === true || head.stop?.why === "internal",
    isStopped: head.stop !== undefined,
    isComplete,
  });
  draft.move({ result });
  if (isComplete && result !== "unknown") end(draft, { phase: "finished" });
}

/** Ends the run: it gives its place in the root group back and is archived. The definition, if not written yet, is archived with it. */
export function end(draft: Draft, { phase, reason }: { readonly phase: "finished" | "cancelled"; readonly reason?: RunReason }): void {
  const { id, root } = draft.run.facts;
  draft.change({ finishedAt: draft.now });
  draft.move({ phase, ...(reason && { reason }) });
  draft.effect(mailToRootGroup(root, { type: "run-ended", run: id }));
  draft.effect({ type: "unrecord", id: definitionWork(id).id });
  draft.effect({ type: "record", ...archiveWork(id, draft.now) });
}

/** As `advance` of the domain, pass by pass, but visiting only what can have changed. */
function advance(draft: Draft): void {
  let left = maxRulings;
  let candidates = firstCandidates(draft);
  while (candidates.length > 0) {
    const now = candidates.slice(0, left);
    for (const { task, ruling } of rulingsOn(draft, now)) carryOut(draft, task, ruling);
    left -= now.length;
    const isCut = candidates.length > now.length;
    // What is not decided here is found again in the next decision: it stays decidable.
    candidates = draft.takeFreed();
    if (isCut || (left === 0 && candidates.length > 0)) {
      goOnLater(draft);
      return;
    }
  }
}

/** What waited before this decision, and what it has freed; all that wait if it is what stops the run. */
function firstCandidates(draft: Draft): readonly number[] {
  const freed = draft.takeFreed();
  const { decidable } = draft.run.index;
  if (draft.stop && draft.stop.force !== draft.run.head.stop?.force) return stoppable(draft);
  if (decidable.size === 0) return freed;
  return [...new Set([...decidable, ...freed])].sort((a, b) => a - b);
}

function stoppable(draft: Draft): readonly number[] {
  const { stop } = draft;
  const nodes = draft.graph.tasks.filter((node) => draft.task(node.index).stage === "pending");
  return nodes.filter((node) => draft.openParents(node.index) === 0 || (stop && !outlives(node, stop))).map((node) => node.index);
}

function carryOut(draft: Draft, index: number, ruling: Ruling): void {
  draft.set(index, ruledState(ruling, draft.now));
  if (ruling.type === "start") requestExecutor(draft, index);
}
