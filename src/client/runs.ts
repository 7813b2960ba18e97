import type { Definition } from "../runs/definition.ts";
import type { RunPhase, RunResult, TaskStatus } from "../runs/states.ts";
import type { RestartPlan, RunEvent, RunView } from "../runs/view.ts";
import { body, done, ending, flag, jsonOf, type TypedApi } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { apiPath, queryText, segment } from "./path.ts";
import type { StreamOptions } from "./resume-stream.ts";
import { followEvents } from "./run-events.ts";
import type { Transport } from "./transport.ts";

/** Which runs to list, newest first unless `order` says otherwise. Times are RFC 3339. */
export interface RunQuery {
  readonly group?: string | undefined;
  /** Also the groups below `group`. */
  readonly recursive?: boolean | undefined;
  readonly number?: number | undefined;
  readonly phase?: readonly RunPhase[] | undefined;
  readonly result?: readonly RunResult[] | undefined;
  readonly name?: string | undefined;
  /** `key:value`, all of them. */
  readonly annotation?: readonly string[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Only the newest of each group. */
  readonly lastRun?: boolean | undefined;
  readonly order?: "newest" | "oldest" | undefined;
  /** 1 to 500, default 25. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface Restart {
  /** Keeps what succeeded. */
  readonly fromFailed: boolean;
  /** Replaces the run's environment as a whole; absent, it is kept. */
  readonly environment?: Readonly<Record<string, string | { readonly secret: string }>>;
}

/** A run in a list: without tasks, but with how many there are of each status. */
export type RunSummary = Pick<RunView, SummaryField> & { readonly taskCounts: { readonly [Status in TaskStatus]?: number | undefined } };

type SummaryField =
  | ("id" | "number" | "group" | "name" | "phase" | "result" | "reason" | "annotations")
  | ("createdAt" | "startedAt" | "finishedAt" | "archived" | "restartOf");

/** A page of a list; `nextCursor` is null on the last one. */
export interface RunList {
  readonly runs: readonly RunSummary[];
  readonly nextCursor: string | null;
  /** True while the server builds its index: older runs may be missing. */
  readonly partial?: boolean | undefined;
}

const none = { query: {} } as const;

/** Runs, over the API. Everything throws an ApiError if refused; repeating anything is safe. */
export function createRuns(api: TypedApi, transport: Transport) {
  const { runs, groups } = api;
  const run = runs[":id"];
  const ofRun = (id: string) => ({ ...none, param: { id: segment(id) } });
  const ofTask = (id: string, task: string) => ({ ...none, param: { id: segment(id), task: segment(task) } });
  return {
    /** Creates a run; one that cannot work comes back in phase `setuperror`. */
    create: (json: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<RunView> =>
      body(runs.$post({ ...none, json }, ending(signal))),
    /** Why a definition could not work, with places; creates nothing. */
    check: (json: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<SetupCheck> =>
      body(runs.check.$post({ ...none, json }, ending(signal))),
    list: (query: RunQuery, signal?: AbortSignal): Promise<RunList> => body(runs.$get({ query: listQuery(query) }, ending(signal))),
    get: (id: string, signal?: AbortSignal): Promise<RunView> => body(run.$get(ofRun(id), ending(signal))),
    /** The run of that number at or below a group. */
    find: (group: string, number: number, signal?: AbortSignal): Promise<RunView> =>
      body(groups[":path"].runs[":number"].$get({ ...none, param: { path: segment(group), number: String(number) } }, ending(signal))),
    /** As it was submitted; secrets are `***`. */
    definition: (id: string, signal?: AbortSignal): Promise<Definition> => body(run.definition.$get(ofRun(id), ending(signal))),
    stop: (id: string, options: { readonly force: boolean }, signal?: AbortSignal): Promise<void> =>
      done(run.stop.$post({ ...ofRun(id), json: options }, ending(signal))),
    cancel: (id: string, signal?: AbortSignal): Promise<void> => done(run.cancel.$post({ ...ofRun(id), json: {} }, ending(signal))),
    approve: (id: string, task: string, decision: Decision, signal?: AbortSignal): Promise<void> =>
      done(run.tasks[":task"].approve.$post({ ...ofTask(id, task), json: decision }, ending(signal))),
    reject: (id: string, task: string, decision: Decision, signal?: AbortSignal): Promise<void> =>
      done(run.tasks[":task"].reject.$post({ ...ofTask(id, task), json: decision }, ending(signal))),
    restart: async (id: string, options: Restart, signal?: AbortSignal): Promise<RunView> => {
      const answer = await body(run.restart.$post({ ...ofRun(id), query: {}, json: options }, ending(signal)));
      if ("recreate" in answer) throw new ApiError("bad_gateway", `got a plan instead of a run from ${transport.url}`);
      return answer;
    },
    /** What `restart` would do; creates nothing. */
    planRestart: async (id: string, options: Restart, signal?: AbortSignal): Promise<RestartPlan> => {
      const answer = await body(run.restart.$post({ ...ofRun(id), query: { plan: "true" }, json: options }, ending(signal)));
      if (!("recreate" in answer)) throw new ApiError("bad_gateway", `got a run instead of a plan from ${transport.url}`);
      return answer;
    },
    /** Removes what restarts do not use; the number stays taken. */
    delete: (id: string, signal?: AbortSignal): Promise<void> => done(run.$delete(ofRun(id), ending(signal))),
    /** A page of the events that have happened; `after` is the `nextCursor` of the page before, null on the last one of a run that is over. */
    eventPage: (id: string, after: string | undefined, signal?: AbortSignal): Promise<EventPage> =>
      // The route answers a page or a stream, so its type says neither.
      jsonOf(transport.fetch(transport.url + apiPath`/runs/${id}/events` + queryText({ after, limit: 500 }), signal ? { signal } : {})),
    /** All events from the run's first, as they happen, until its end. */
    events: (id: string, options: StreamOptions) => followEvents(transport, apiPath`/runs/${id}/events`, options),
  };
}

export interface SetupCheck {
  readonly setupErrors: readonly string[];
  readonly locations: readonly { readonly path: string; readonly message: string }[];
}

export interface EventPage {
  readonly events: readonly RunEvent[];
  readonly nextCursor: string | null;
}

/** What is said with an approval or a rejection. */
export interface Decision {
  readonly message?: string;
}

function listQuery({ recursive, lastRun, phase, result, annotation, ...query }: RunQuery) {
  return {
    ...query,
    recursive: flag(recursive),
    lastRun: flag(lastRun),
    phase: phase && [...phase],
    result: result && [...result],
    annotation: annotation && [...annotation],
  };
}
