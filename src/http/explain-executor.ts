import type { ExecutorRecord } from "../actors/executor/state.ts";

/** Why an executor gets nothing new, or is not there, and what has to happen; undefined for one that is simply active. */
export function explainExecutor({ life, unproven, description, ttlMs }: ExecutorRecord, cleaners: readonly string[]): string | undefined {
  switch (life.state) {
    case "active":
      return (
        unproven &&
        `it was lost and is back, and gets nothing new until the pods that it had are gone: ${goneWhen(unproven.presumedGoneAt, cleaners)}`
      );
    case "cordoned":
      return life.leaveWhenEmpty ? "it finishes what it has, and leaves then" : "it finishes what it has, and gets nothing new";
    case "suspect":
      return life.left
        ? `it said good-bye at ${time(life.since)} with nothing left to do`
        : `its heartbeat has expired: suspect since ${time(life.since)}, lost from ${time(life.since + ttlMs)} on unless it comes back; its pods go on until then`;
    case "lost": {
      const declared = `it was declared lost at ${time(life.since)}`;
      if (unproven) return `${declared}; its tasks are retried once its pods are gone: ${goneWhen(unproven.presumedGoneAt, cleaners)}`;
      return `${declared}, and none of its pods is left; ${description.dynamic ? "its record goes too" : "it stays known until it returns or is deleted"}`;
    }
  }
}

function goneWhen(presumedGoneAt: number, cleaners: readonly string[]): string {
  if (cleaners.length > 0) return `${cleaners.join(", ")} ${cleaners.length === 1 ? "sees" : "see"} to that`;
  return `nobody alive sees them, so they count as gone at ${time(presumedGoneAt)}; sooner if an executor of its group comes, or somebody deletes it by force`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
