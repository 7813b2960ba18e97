import { PodError } from "../driver.ts";
import type { Api } from "./api.ts";
import { isStatus } from "./api-error.ts";
import { watchObjects } from "./object-watch.ts";
import { ObservedPod } from "./observed-pod.ts";

/** The pods of one executor as the API server tells of them, always a little late. */
export interface PodWatch {
  /** Takes note of what an answer said, which may be ahead of the watch. */
  readonly note: (pod: ObservedPod) => void;
  /**
   * Resolves with what `judge` makes of the pod, once that is not undefined: at once, and after every change. A pod that
   * is gone is undefined; another one of its name is another pod. Rejects with `signal`, with what `judge` throws, and with
   * PodError while pods may not be watched.
   */
  readonly when: <R>(expected: PodKey, judge: (pod: ObservedPod | undefined) => R | undefined, signal: AbortSignal) => Promise<R>;
  /** The last that was heard of a pod that is gone; undefined if that was long ago. */
  readonly lastSeen: (pod: PodKey) => ObservedPod | undefined;
  readonly close: () => Promise<void>;
}

export interface PodKey {
  readonly name: string;
  readonly uid: string;
}

/** Enough to recognise a late answer about a pod that the watch has seen go. */
const rememberedGone = 1_000;

interface Known {
  readonly pod: ObservedPod;
  /** The list that began last before this was told; a later list that lacks the pod proves that it is gone. */
  readonly listing: number;
}

export function openPodWatch(api: Api, where: { readonly path: string; readonly labelSelector: string }): PodWatch {
  const over = new AbortController();
  const pods = new Map<string, Known>();
  const gone = new Map<string, ObservedPod>();
  const listeners = new Map<string, Set<() => void>>();
  let listing = 0;
  let refusal: PodError | undefined;

  const tell = (uid: string) => {
    for (const listener of [...(listeners.get(uid) ?? [])]) listener();
  };
  const change = (pod: ObservedPod) => {
    pods.set(pod.metadata.uid, { pod, listing });
    tell(pod.metadata.uid);
  };
  const remove = (pod: ObservedPod) => {
    const { uid } = pod.metadata;
    pods.delete(uid);
    gone.set(uid, pod);
    for (const oldest of gone.keys()) {
      if (gone.size <= rememberedGone) break;
      gone.delete(oldest);
    }
    tell(uid);
  };

  const running = watchObjects(
    {
      api,
      ...where,
      parse: (raw) => ObservedPod.parse(raw),
      onChange: (pod) => {
        refusal = undefined;
        change(pod);
      },
      onGone: remove,
      onListing: () => {
        listing += 1;
      },
      onList: (found) => {
        refusal = undefined;
        const there = new Set(found.map((pod) => pod.metadata.uid));
        for (const { pod, listing: toldIn } of [...pods.values()]) if (toldIn < listing && !there.has(pod.metadata.uid)) remove(pod);
        for (const pod of found) change(pod);
      },
      onFault: (error) => {
        if (!isStatus(error, 401, 403)) return;
        refusal = new PodError("setup", `the executor may not list and watch pods: ${error.message}`, { cause: error });
        for (const uid of [...listeners.keys()]) tell(uid);
      },
    },
    over.signal,
  );
  running.catch(() => {});

  return {
    note: (pod) => {
      const { uid } = pod.metadata;
      if (!pods.has(uid) && !gone.has(uid)) change(pod);
    },
    when: async ({ uid }, judge, signal) => {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<NonNullable<ReturnType<typeof judge>>>();
      const look = () => {
        try {
          if (refusal) throw refusal;
          const verdict = judge(pods.get(uid)?.pod);
          if (verdict !== undefined && verdict !== null) resolve(verdict);
        } catch (error) {
          reject(error);
        }
      };
      const onAbort = () => reject(signal.reason);
      const own = listeners.get(uid) ?? new Set();
      own.add(look);
      listeners.set(uid, own);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        look();
        return await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        own.delete(look);
        if (own.size === 0) listeners.delete(uid);
      }
    },
    lastSeen: ({ uid }) => gone.get(uid),
    close: async () => {
      over.abort(new Error("the watch was closed"));
      await running.catch(() => {});
    },
  };
}
