import { EventEmitter, on } from "node:events";
import { describe, expect, it } from "vitest";
import type { Api, ApiRequest } from "../../src/executors/kubernetes/api.ts";
import { ApiError } from "../../src/executors/kubernetes/api-error.ts";
import { listAll } from "../../src/executors/kubernetes/object-watch.ts";
import { ObservedPod } from "../../src/executors/kubernetes/observed-pod.ts";
import { openPodWatch } from "../../src/executors/kubernetes/pod-watch.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;
const where = { path: "/pods", labelSelector: "a=b" };

function pod(name: string, version: number, phase = "Running") {
  return { metadata: { name, uid: `uid-${name}`, resourceVersion: String(version) }, status: { phase } };
}

function list(version: number, ...items: readonly unknown[]) {
  return { metadata: { resourceVersion: String(version) }, items };
}

/** An API server that answers what the test tells it to, when it tells it to. */
function playedApi() {
  const lists: { readonly request: ApiRequest; readonly answer: (with_: unknown) => void; readonly refuse: (error: unknown) => void }[] =
    [];
  const watches: { readonly request: ApiRequest; readonly send: (line: unknown) => void; readonly cut: () => void }[] = [];
  const api: Api = {
    call: (request) =>
      new Promise((answer, refuse) => {
        lists.push({ request, answer, refuse });
      }),
    stream: async (request, abort) => {
      const said = new EventEmitter();
      abort.addEventListener("abort", () => said.emit("end"));
      watches.push({
        request,
        send: (line) => said.emit("line", Buffer.from(`${JSON.stringify(line)}\n`)),
        cut: () => said.emit("end"),
      });
      return brokenOff(on(said, "line", { close: ["end"] }));
    },
    close: async () => {},
  };
  const nth = async <T>(what: string, all: readonly T[], index: number): Promise<T> => {
    await until(`${what} ${index}`, () => all.length > index);
    const found = all[index];
    if (!found) throw new Error(what);
    return found;
  };
  return {
    api,
    lists,
    watches,
    list: (index: number) => nth("list", lists, index),
    watch: (index: number) => nth("watch", watches, index),
  };
}

/** A stream that ends as a connection that is cut: whatever had come before has come. */
async function* brokenOff(events: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  for await (const [bytes] of events) if (bytes) yield bytes;
  throw new Error("the connection was reset");
}

describe("the watch of an executor's pods", () => {
  it("goes on from the last version after a cut connection, without another list", async () => {
    const played = playedApi();
    const watch = openPodWatch(played.api, where);
    (await played.list(0)).answer(list(5, pod("a", 4)));
    const first = await played.watch(0);
    expect(first.request.query).toMatchObject({ resourceVersion: "5", allowWatchBookmarks: "true", labelSelector: "a=b" });
    first.send({ type: "MODIFIED", object: pod("a", 7, "Failed") });
    first.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } });
    first.cut();
    expect((await played.watch(1)).request.query).toMatchObject({ resourceVersion: "9" });
    expect(played.lists).toHaveLength(1);
    expect(await watch.when({ name: "a", uid: "uid-a" }, (seen) => seen?.status?.phase ?? undefined, signal)).toBe("Failed");
    await watch.close();
  });

  it("lists again once its version is forgotten, and takes what is missing then for gone", async () => {
    const played = playedApi();
    const watch = openPodWatch(played.api, where);
    (await played.list(0)).answer(list(5, pod("a", 3), pod("b", 4)));
    (await played.watch(0)).send({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } });
    (await played.list(1)).answer(list(20, pod("b", 4)));
    expect(await watch.when({ name: "a", uid: "uid-a" }, (seen) => (seen ? undefined : "gone"), signal)).toBe("gone");
    expect(watch.lastSeen({ name: "a", uid: "uid-a" })?.status?.phase).toBe("Running");
    expect(await watch.when({ name: "b", uid: "uid-b" }, (seen) => (seen ? "there" : undefined), signal)).toBe("there");
    await watch.close();
  });

  it("does not take a pod for gone that was created while a list was on its way", async () => {
    const played = playedApi();
    const watch = openPodWatch(played.api, where);
    const first = await played.list(0);
    watch.note(ObservedPod.parse(pod("new", 6)));
    first.answer(list(5));
    await played.watch(0);
    expect(await watch.when({ name: "new", uid: "uid-new" }, (seen) => (seen ? "there" : "gone"), signal)).toBe("there");
    await watch.close();
  });

  it("does not bring back a pod that it has seen go, whatever a late answer says", async () => {
    const played = playedApi();
    const watch = openPodWatch(played.api, where);
    (await played.list(0)).answer(list(5, pod("a", 3)));
    (await played.watch(0)).send({ type: "DELETED", object: pod("a", 8) });
    await watch.when({ name: "a", uid: "uid-a" }, (seen) => (seen ? undefined : true), signal);
    watch.note(ObservedPod.parse(pod("a", 7)));
    expect(await watch.when({ name: "a", uid: "uid-a" }, (seen) => (seen ? "there" : "gone"), signal)).toBe("gone");
    await watch.close();
  });

  it("says that it may not watch, and waits again once it may", async () => {
    const played = playedApi();
    const watch = openPodWatch(played.api, where);
    watch.note(ObservedPod.parse(pod("a", 3)));
    const waiting = watch.when({ name: "a", uid: "uid-a" }, () => undefined, signal);
    (await played.list(0)).refuse(new ApiError(403, JSON.stringify({ reason: "Forbidden", message: "no" })));
    await expect(waiting).rejects.toMatchObject({ reason: "setup" });
    (await played.list(1)).answer(list(5, pod("a", 3, "Failed")));
    await played.watch(0);
    expect(await watch.when({ name: "a", uid: "uid-a" }, (seen) => seen?.status?.phase ?? undefined, signal)).toBe("Failed");
    await watch.close();
  });
});

describe("a list of everything", () => {
  it("is asked for page by page, from the newest state, and anew when its pages have expired", async () => {
    const played = playedApi();
    const listing = listAll(played.api, where, signal);
    const page = (next: string, ...items: readonly string[]) => ({ metadata: { resourceVersion: "5", continue: next }, items });
    (await played.list(0)).answer(page("more", "a", "b"));
    (await played.list(1)).refuse(new ApiError(410, "{}"));
    (await played.list(2)).answer(page("more", "a"));
    (await played.list(3)).answer(page("", "c"));
    expect((await listing).items).toEqual(["a", "c"]);
    expect(played.lists.map(({ request }) => request.query)).toEqual([
      { limit: "500", labelSelector: "a=b" },
      { limit: "500", labelSelector: "a=b", continue: "more" },
      { limit: "500", labelSelector: "a=b" },
      { limit: "500", labelSelector: "a=b", continue: "more" },
    ]);
  });
});
