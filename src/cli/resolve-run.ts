import { ApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import type { RunSummary } from "../client/runs.ts";
import { rootOf } from "../ids.ts";
import { exitCode } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import type { RunReference } from "./reference.ts";
import { timesOfPrefix } from "./run-id-prefix.ts";

/** What resolving asks of the API. */
export type RunFinder = Pick<Client["runs"], "list" | "find">;

/** A prefix so short that more runs than this may fit is better typed longer than searched for. */
const mostPages = 20;
const pageSize = 500;

/** The id of the run that was meant; a failure with exit code 7 if there is none, and one that lists the candidates if there are several. */
export async function resolveRun(reference: RunReference, runs: RunFinder, signal: AbortSignal): Promise<string> {
  switch (reference.type) {
    case "id":
      return reference.id;
    case "prefix":
      return byPrefix(reference.prefix, runs, signal);
    case "number":
      return reference.group.startsWith("/") ? byGroup(reference, runs, signal) : byGroupEnd(reference, runs, signal);
    case "last":
      return newest(reference.failed, runs, signal);
  }
}

async function newest(failed: boolean, runs: RunFinder, signal: AbortSignal): Promise<string> {
  const page = await runs.list({ limit: 1, ...(failed ? { result: ["failed"] } : {}) }, signal);
  const run = page.runs[0];
  if (!run) throw notFound(failed ? "no run has failed" : "there are no runs yet", []);
  return run.id;
}

async function byGroup({ group, number }: Numbered, runs: RunFinder, signal: AbortSignal): Promise<string> {
  try {
    return (await runs.find(group, number, signal)).id;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "run_not_found") throw error;
    throw notFound(`there is no run ${group}#${number}`, [`ostler runs list --group ${group} --recursive`]);
  }
}

type Numbered = Extract<RunReference, { type: "number" }>;

/** `web#12`: any run of that number in whose group `web` is a segment (or `web/branch` two in a row). */
async function byGroupEnd({ group, number }: Numbered, runs: RunFinder, signal: AbortSignal): Promise<string> {
  const fits = (run: RunSummary) => `${run.group}/`.includes(`/${group}/`);
  const found = await search(runs, { number }, fits, signal);
  return only(found, `${group}#${number}`);
}

async function byPrefix(prefix: string, runs: RunFinder, signal: AbortSignal): Promise<string> {
  const found = await search(runs, timesOfPrefix(prefix), (run) => run.id.startsWith(prefix), signal);
  return only(found, prefix);
}

/** Up to ten runs that fit; throws where looking through all that might would take too long. */
async function search(
  runs: RunFinder,
  query: { readonly number?: number; readonly since?: string; readonly until?: string },
  fits: (run: RunSummary) => boolean,
  signal: AbortSignal,
): Promise<readonly RunSummary[]> {
  const found: RunSummary[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < mostPages; pages++) {
    const page = await runs.list({ ...query, limit: pageSize, cursor }, signal);
    found.push(...page.runs.filter(fits));
    if (found.length > 1 || page.nextCursor === null) return found.slice(0, 10);
    cursor = page.nextCursor;
  }
  throw new Failure(`too many runs may be meant (looked at ${mostPages * pageSize})`, { hints: ["type more of the id or of the group"] });
}

function only(found: readonly RunSummary[], text: string): string {
  const [run, ...others] = found;
  if (!run) throw notFound(`there is no run ${text}`, ["ostler runs list"]);
  if (others.length > 0) {
    throw new Failure(`${text} may mean several runs`, { hints: found.map((one) => `${rootOf(one.group)}#${one.number}  ${one.id}`) });
  }
  return run.id;
}

function notFound(message: string, hints: readonly string[]): Failure {
  return new Failure(message, { exitCode: exitCode.notFound, hints });
}
