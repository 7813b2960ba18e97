import type { FoundRun } from "../archive/find-run.ts";

/** Finds a run, live or archived; undefined for one that does not exist, or was deleted. The id must be well-formed. */
export type FindRun = (runId: string) => Promise<FoundRun | undefined>;
