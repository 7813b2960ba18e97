import type { RecordedWork } from "../actor.ts";

/** How long after a change its archiving may begin: beyond the second that Redis may lose. */
const delayMs = 5000;

interface Work {
  readonly id: string;
  readonly work: RecordedWork;
}

export function definitionWork(runId: string, now = 0): Work {
  return { id: `definition:${runId}`, work: { type: "write-definition", runId, at: now + delayMs } };
}

export function archiveWork(runId: string, now = 0): Work {
  return { id: `archive:${runId}`, work: { type: "archive", runId, at: now + delayMs } };
}

export function deleteWork(runId: string, now = 0): Work {
  return { id: `delete:${runId}`, work: { type: "delete-run", runId, at: now } };
}
