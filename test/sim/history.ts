import type { Keys } from "../../src/redis/keys.ts";
import type { Graph } from "../../src/runs/graph.ts";
import { RunEvent } from "../../src/runs/view.ts";
import type { RedisServer } from "./redis-server.ts";

/** The texts of a run's events as Redis has them now. */
export function eventsOf(redis: RedisServer, keys: Keys, runId: string): readonly string[] {
  return redis.commands.list(keys.runEvents(runId)).flatMap((text) => {
    const events: unknown[] = JSON.parse(text);
    return events.map((event) => JSON.stringify(event));
  });
}

const terminalTask = ["skipped", "cancelled", "stopped", "success", "failed"];
const terminalRun = ["cancelled", "finished", "setuperror"];
/** What may follow which (phase, result) of a run. */
const runMoves: Readonly<Record<string, readonly string[]>> = {
  "": ["queued/unknown"],
  "queued/unknown": ["running/unknown", "cancelled/unknown"],
  "running/unknown": ["running/success", "running/failed", "running/stopped"],
  "running/success": ["finished/success"],
  "running/failed": ["finished/failed"],
  "running/stopped": ["finished/stopped"],
};

const conditionOf: Readonly<Record<string, string>> = { success: "on_success", failed: "on_failure", skipped: "on_skipped" };

/** What the events of one run say, if they say nothing impossible. Throws on the first that breaks an invariant. */
export interface RunHistory {
  /** `phase/result` of the last run event. */
  readonly standing: string;
  readonly isOver: boolean;
  readonly isRunning: boolean;
}

export function readHistory(graph: Graph, texts: readonly string[]): RunHistory {
  let standing = "";
  const statuses = new Map<string, string>();
  const running = new Map<string, number>();
  const attempts = new Map<string, number>();
  const check = (holds: boolean, invariant: string, text: string) => {
    if (!holds) throw new Error(`${invariant}, broken by ${text} in\n${texts.join("\n")}`);
  };
  texts.forEach((text, index) => {
    const event = RunEvent.parse(JSON.parse(text));
    check(event.seq === index + 1, "events are numbered without gaps", text);
    const phase = standing.split("/")[0] ?? "";
    check(!terminalRun.includes(phase), "A4: a terminal phase never changes, and nothing happens after it", text);
    switch (event.type) {
      case "run": {
        const to = `${event.phase}/${event.result}`;
        check(runMoves[standing]?.includes(to) ?? false, `A4: a run does not go from ${standing} to ${to}`, text);
        standing = to;
        if (event.phase !== "finished") break;
        check(
          graph.tasks.every(({ name }) => terminalTask.includes(statuses.get(name) ?? "")),
          "A6: a finished run's tasks are all terminal",
          text,
        );
        check(running.size === 0, "A6: no attempt of a finished run is live", text);
        break;
      }
      case "task": {
        const before = statuses.get(event.task) ?? "notstarted";
        check(!terminalTask.includes(before), "A4: a terminal task never changes", text);
        if (event.status === "running") check(parentsMatch(graph, event.task, statuses), "A5: a task starts after its parents", text);
        statuses.set(event.task, event.status);
        break;
      }
      case "attempt": {
        if (event.phase === "running") {
          check(!running.has(event.task), "A4: at most one live attempt per task", text);
          check(parentsMatch(graph, event.task, statuses), "A5: an attempt starts after its task's parents", text);
          running.set(event.task, event.attempt);
        } else {
          check(event.attempt > (attempts.get(event.task) ?? 0), "an attempt ends once", text);
          attempts.set(event.task, event.attempt);
          running.delete(event.task);
        }
      }
    }
  });
  const phase = standing.split("/")[0] ?? "";
  return { standing, isOver: terminalRun.includes(phase), isRunning: phase === "running" };
}

function parentsMatch(graph: Graph, name: string, statuses: ReadonlyMap<string, string>): boolean {
  const node = graph.tasks.find((task) => task.name === name);
  return (node?.parents ?? []).every(({ index, conditions }) => {
    const status = statuses.get(graph.tasks[index]?.name ?? "") ?? "";
    if (!terminalTask.includes(status)) return false;
    return conditions.some((condition) => condition === "always" || condition === conditionOf[status]);
  });
}
