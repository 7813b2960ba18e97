import { z } from "zod";
import type { Api } from "./api.ts";
import { isStatus } from "./api-error.ts";
import { linesOf } from "./lines.ts";
import { createBackOff } from "./patience.ts";

export interface ObjectWatchOptions<T> {
  readonly api: Api;
  /** Of the collection, as `/api/v1/nodes`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly parse: (raw: unknown) => T;
  readonly onChange: (object: T) => void;
  readonly onGone: (object: T) => void;
  /** A complete list is about to be asked for: what is not in the next `onList` was gone by then. */
  readonly onListing: () => void;
  readonly onList: (objects: readonly T[]) => void;
  /** Hears why the collection cannot be watched at present. */
  readonly onFault: (error: unknown) => void;
}

const pageSize = "500";
/** The server ends a watch then, and tells its newest version just before: so a version is never old, and a dead connection found. */
const watchSeconds = 55;
const silenceMs = 75_000;
const shortWatchMs = 1_000;

const List = z.object({
  metadata: z.object({ resourceVersion: z.string().nullish(), continue: z.string().nullish() }),
  items: z.array(z.unknown()),
});
const WatchEvent = z.object({ type: z.string(), object: z.unknown() });
const Versioned = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const Fault = z.object({ code: z.number().nullish(), message: z.string().nullish() });

/** All objects of a collection, from the newest state of the store. A page whose list has expired begins the list anew. */
export async function listAll(
  api: Api,
  { path, labelSelector }: Pick<ObjectWatchOptions<unknown>, "path" | "labelSelector">,
  signal: AbortSignal,
): Promise<{ readonly items: readonly unknown[]; readonly version: string }> {
  let items: unknown[] = [];
  let next = "";
  let restarts = 0;
  for (;;) {
    const query = { limit: pageSize, ...(labelSelector !== undefined && { labelSelector }), ...(next !== "" && { continue: next }) };
    try {
      const page = List.parse(await api.call({ method: "GET", path, query }, signal));
      items.push(...page.items);
      next = page.metadata.continue ?? "";
      if (next === "") return { items, version: page.metadata.resourceVersion ?? "" };
    } catch (error) {
      restarts += 1;
      if (!isStatus(error, 410) || restarts > 3) throw error;
      items = [];
      next = "";
    }
  }
}

/**
 * Lists, then watches from there, until `signal` is aborted. Goes on from the last version after a cut connection;
 * lists again, after a pause, once the server has forgotten that version (410). Never rejects but with the signal.
 */
export async function watchObjects<T>(options: ObjectWatchOptions<T>, signal: AbortSignal): Promise<void> {
  const backOff = createBackOff();
  let version: string | undefined;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        options.onListing();
        const list = await listAll(options.api, options, signal);
        options.onList(list.items.map(options.parse));
        version = list.version;
      }
      const began = performance.now();
      const last = await watchFrom(options, version, signal);
      version = last.version;
      // A server that ends every watch at once must not be asked in a tight loop.
      if (last.version !== undefined && performance.now() - began >= shortWatchMs) backOff.reset();
      else await backOff.pause(signal).catch(() => {});
    } catch (error) {
      if (signal.aborted) return;
      if (isStatus(error, 410)) version = undefined;
      else if (error instanceof CutShort) version = error.version;
      else options.onFault(error);
      await backOff.pause(signal).catch(() => {});
    }
  }
}

/** The connection broke; what had come until then counts. */
class CutShort extends Error {
  readonly version: string;

  constructor(version: string, cause: unknown) {
    super("the watch was cut", { cause });
    this.version = version;
  }
}

/** The version to go on from; undefined if the server has forgotten where we were. */
async function watchFrom<T>(
  { api, path, labelSelector, parse, onChange, onGone }: ObjectWatchOptions<T>,
  from: string,
  signal: AbortSignal,
): Promise<{ readonly version: string | undefined }> {
  let version = from;
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(new Error("the watch has been silent for too long")), silenceMs);
  timer.unref();
  const query = {
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: from,
    timeoutSeconds: String(watchSeconds),
    ...(labelSelector !== undefined && { labelSelector }),
  };
  const over = AbortSignal.any([signal, silent.signal]);
  try {
    for await (const line of linesOf(await api.stream({ method: "GET", path, query }, over))) {
      timer.refresh();
      const { type, object } = WatchEvent.parse(JSON.parse(line));
      if (type === "ERROR") {
        const fault = Fault.safeParse(object).data;
        if (fault?.code === 410) return { version: undefined };
        throw new Error(`the watch ended: ${fault?.message ?? line.slice(0, 200)}`);
      }
      version = Versioned.parse(object).metadata.resourceVersion;
      if (type === "DELETED") onGone(parse(object));
      else if (type !== "BOOKMARK") onChange(parse(object));
    }
    return { version };
  } catch (error) {
    signal.throwIfAborted();
    if (isStatus(error, 410)) return { version: undefined };
    if (isStatus(error, 401, 403, 404)) throw error;
    throw new CutShort(version, error);
  } finally {
    clearTimeout(timer);
  }
}
