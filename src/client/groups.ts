import { body, ending, type TypedApi } from "./api.ts";
import type { RunSummary } from "./runs.ts";

export interface GroupList {
  readonly groups: readonly { readonly path: string; readonly lastRun: RunSummary | null }[];
  readonly nextCursor: string | null;
}

export interface GroupQuery {
  /** Default `/`: the groups at the top. */
  readonly parent?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Groups of runs, over the API. */
export function createGroups(api: TypedApi) {
  return {
    /** The groups right below one that have runs at or below them, by path. */
    list: (query: GroupQuery, signal?: AbortSignal): Promise<GroupList> => body(api.groups.$get({ query }, ending(signal))),
  };
}
