import { z } from "zod";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import { RunEvent } from "../runs/view.ts";

/** The first line of `events.jsonl`; every other one is an event. */
const Header = z.object({ version: z.literal(1), runId: z.string() });

const commitsPerRead = 500;

/** Writes a run's events as they are in Redis to ost, if they are not there yet. Never holds them all. */
export async function writeEvents(
  { store, redis, keys }: { store: Store; redis: RedisConnection; keys: Keys },
  runId: string,
): Promise<void> {
  await store.put(layout.runEvents(runId), encodeEvents(redis, keys, runId), { onlyIfAbsent: true });
}

async function* encodeEvents(redis: RedisConnection, keys: Keys, runId: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify({ version: 1, runId } satisfies z.infer<typeof Header>)}\n`);
  for (let at = 0; ; at += commitsPerRead) {
    const commits = await redis.lrange(keys.runEvents(runId), at, at + commitsPerRead - 1);
    if (commits.length === 0) return;
    const lines = commits.flatMap((commit) =>
      z
        .array(z.unknown())
        .parse(JSON.parse(commit))
        .map((event) => `${JSON.stringify(event)}\n`),
    );
    yield Buffer.from(lines.join(""), "utf8");
  }
}

/**
 * An archived run's events after `seq`, in order; undefined if the run has none in ost. Line n is the event of seq n, so those
 * before are passed over unparsed: a reader of many pages would else parse all events for each of them.
 */
export async function readArchivedEvents(store: Store, runId: string, after = 0): Promise<AsyncGenerator<RunEvent> | undefined> {
  const stream = await store.stream(layout.runEvents(runId));
  return stream && parseEvents(stream, after);
}

async function* parseEvents(stream: AsyncIterable<Uint8Array>, after: number): AsyncGenerator<RunEvent> {
  let number = 0;
  for await (const line of lines(stream)) {
    if (number === 0) Header.parse(JSON.parse(line));
    else if (number > after) yield RunEvent.parse(JSON.parse(line));
    number += 1;
  }
}

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
