import { z } from "zod";
import { OstlerError } from "../errors.ts";
import { type EventEntry, textsOf } from "../read-model/feed.ts";
import { keepsAfter } from "../read-model/stream-gap.ts";
import { firstStreamId, type StreamId, streamIdBefore } from "../read-model/stream-id.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { RunEvent } from "../runs/view.ts";
import type { EventWindow } from "./event-window.ts";
import { type EventPosition, formatPosition, parsePosition } from "./position.ts";
import type { Frame } from "./sse.ts";

export interface InstallationEventsDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly window: EventWindow;
}

/** An event, and the position from which a reader goes on after it. */
export interface PlacedEvent {
  readonly event: RunEvent;
  readonly position: string;
}

const entriesPerRead = 200;
const Entries = z.array(z.tuple([z.string(), z.array(z.string())]));

/** The position in a header or query; throws `bad_request` for what is none. */
export function positionOf(text: string, where: string): EventPosition {
  const position = parsePosition(text);
  if (!position) throw new OstlerError("bad_request", `${where}: not a position of this event stream`);
  return position;
}

function current(window: EventWindow): { readonly history: string; readonly entry: StreamId } {
  const newest = window.newest();
  if (!newest) throw new OstlerError("not_ready", "this process does not follow the event stream yet");
  return newest;
}

/** The events of entries, without those of the first one that `position` has behind it. */
function place(history: string, entries: readonly EventEntry[], position: EventPosition): PlacedEvent[] {
  return entries.flatMap(({ id, events }) => {
    const skip = id === position.entry && position.index !== undefined ? position.index + 1 : 0;
    return events.slice(skip).map((event, at) => {
      const index = at + skip;
      return { event, position: formatPosition({ history, entry: id, index: index === events.length - 1 ? undefined : index }) };
    });
  });
}

/** Where reading begins: in the middle of an entry, that entry comes again. */
function before({ entry, index }: EventPosition): StreamId {
  return index === undefined ? entry : streamIdBefore(entry);
}

/**
 * The next events after a position, from this process's window or, further back, from Redis.
 * Undefined if they are no longer kept, or the position is of another history.
 */
async function readAfter(
  { redis, keys, window }: InstallationEventsDeps,
  position: EventPosition,
): Promise<readonly PlacedEvent[] | undefined> {
  const { history } = current(window);
  if (position.history !== history) return undefined;
  const from = before(position);
  const held = window.after(from);
  if (held) return place(history, held.slice(0, entriesPerRead), position);
  const raw = Entries.parse(await redis.xrange(keys.events, `(${from}`, "+", "COUNT", entriesPerRead));
  // Asked after reading: what was trimmed meanwhile would be missing.
  if (!(await keepsAfter(redis, keys.events, from))) return undefined;
  return place(
    history,
    raw.map(([id, fields]) => ({ id, events: textsOf(fields).flatMap((text) => z.array(RunEvent).parse(JSON.parse(text))) })),
    position,
  );
}

export interface EventPageResult {
  readonly events: readonly RunEvent[];
  /** Where to go on, also at the end: later events come after it. */
  readonly next: string;
}

/** One page of events, from the oldest that is kept unless `after` says otherwise. Throws 410 `events_trimmed`. */
export async function readEvents(deps: InstallationEventsDeps, after: EventPosition | undefined, limit: number): Promise<EventPageResult> {
  const { history } = current(deps.window);
  const start = after ?? (await oldest(deps, history));
  const placed = await readAfter(deps, start);
  if (!placed) throw new OstlerError("events_trimmed", "events after this position are no longer kept: start from a list of runs");
  const page = placed.slice(0, limit);
  return { events: page.map(({ event }) => event), next: page.at(-1)?.position ?? formatPosition(start) };
}

/** The position right before the oldest entry that is kept. */
async function oldest({ redis, keys }: InstallationEventsDeps, history: string): Promise<EventPosition> {
  const [first] = Entries.parse(await redis.xrange(keys.events, "-", "+", "COUNT", 1));
  const entry = first === undefined ? firstStreamId : streamIdBefore(first[0]);
  return { history, entry, index: undefined };
}

/** All events after a position, or from now on. Where they are not kept, `reset` says so and they go on from now. */
export async function* followInstallation(
  deps: InstallationEventsDeps,
  after: EventPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const { window } = deps;
  while (!window.newest() && !signal.aborted) await window.changed(signal);
  if (signal.aborted) return;
  const now = (): EventPosition => ({ ...current(window), index: undefined });
  let position = after ?? now();
  // Who comes back before the first event misses nothing.
  if (after === undefined) yield { id: formatPosition(position) };
  while (!signal.aborted) {
    const news = window.changed(signal);
    const placed = await readAfter(deps, position);
    if (!placed) {
      position = now();
      yield { event: "reset", id: formatPosition(position), data: {} };
      continue;
    }
    for (const { event, position: id } of placed) {
      yield { event: event.type, id, data: event };
      position = positionOf(id, "event");
    }
    if (placed.length === 0) await news;
  }
}
