import { body, done, ending, flag, type TypedApi } from "./api.ts";
import { segment } from "./path.ts";

const none = { query: {} } as const;

/** Executors, the groups that clean up after each other, and the pools that place tasks, over the API. */
export function createExecutors(api: TypedApi) {
  const { executors, pools } = api;
  const groups = api["executor-groups"];
  const executor = (id: string) => ({ param: { id: segment(id) } });
  return {
    executors: {
      list: (signal?: AbortSignal) => body(executors.$get(none, ending(signal))),
      get: (id: string, signal?: AbortSignal) => body(executors[":id"].$get({ ...none, ...executor(id) }, ending(signal))),
      /** Gives it nothing new; with `leaveWhenEmpty` it goes once its last task has ended. */
      cordon: (id: string, options: { readonly leaveWhenEmpty: boolean }, signal?: AbortSignal) =>
        done(executors[":id"].cordon.$post({ ...none, ...executor(id), json: options }, ending(signal))),
      uncordon: (id: string, signal?: AbortSignal) =>
        done(executors[":id"].uncordon.$post({ ...none, ...executor(id), json: {} }, ending(signal))),
      /** With `force` its assignments end as lost without proof that its pods are gone. */
      delete: (id: string, { force }: { readonly force: boolean }, signal?: AbortSignal) =>
        done(executors[":id"].$delete({ ...executor(id), query: { force: flag(force) } }, ending(signal))),
    },
    executorGroups: {
      list: (signal?: AbortSignal) => body(groups.$get(none, ending(signal))),
      get: (id: string, signal?: AbortSignal) => body(groups[":id"].$get({ ...none, ...executor(id) }, ending(signal))),
    },
    pools: {
      list: (signal?: AbortSignal) => body(pools.$get(none, ending(signal))),
      get: (id: string, signal?: AbortSignal) => body(pools[":id"].$get({ ...none, ...executor(id) }, ending(signal))),
    },
  };
}
