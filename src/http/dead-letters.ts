import { z } from "zod";
import { OstlerError } from "../errors.ts";
import { isStreamId } from "../read-model/stream-id.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import { replayDeadLetter } from "../redis/scripts/replay-dead-letter.ts";

/** A message that was put aside, because nobody could decide on it or it killed who tried. */
export interface DeadLetter {
  /** `<shard>.<entry>` */
  readonly id: string;
  /** Ms since the epoch. */
  readonly at: number;
  readonly reason: string;
  /** The actors that it was for; none if it does not parse. */
  readonly actors: readonly string[];
  readonly text: string;
}

/** Changes resolve once they are as durable as promised. */
export interface DeadLetters {
  /** The oldest first, shard by shard, after the one of that id. */
  readonly list: (after: string | undefined, limit: number) => Promise<readonly DeadLetter[]>;
  readonly get: (id: string) => Promise<DeadLetter>;
  /** Sends it again. Throws `conflict` for what does not parse: it would come back. */
  readonly replay: (id: string) => Promise<void>;
  readonly drop: (id: string) => Promise<void>;
}

const Entry = z.tuple([z.string(), z.array(z.string())]);
const Mail = z.array(z.tuple([z.string(), z.unknown()], z.unknown()));
const idPattern = /^(\d{1,4})\.(\d+-\d+)$/;

export interface DeadLettersDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
  readonly confirm: Confirm;
}

export function createDeadLetters({ redis, keys, shards, confirm }: DeadLettersDeps): DeadLetters {
  const place = (id: string) => {
    const [, shard = "", entry = ""] = idPattern.exec(id) ?? [];
    if (!isStreamId(entry) || Number(shard) >= shards) throw unknown(id);
    return { shard: Number(shard), entry };
  };

  const get = async (id: string) => {
    const { shard, entry } = place(id);
    const [found] = await redis.xrange(keys.dead(shard), entry, entry);
    if (!found) throw unknown(id);
    return read(shard, found);
  };

  return {
    get,
    list: async (after, limit) => {
      const from = after === undefined ? { shard: 0, entry: "-" } : place(after);
      const found: DeadLetter[] = [];
      for (let shard = from.shard; shard < shards && found.length < limit; shard++) {
        const start = shard === from.shard && after !== undefined ? `(${from.entry}` : "-";
        const entries = await redis.xrange(keys.dead(shard), start, "+", "COUNT", limit - found.length);
        found.push(...entries.map((entry) => read(shard, entry)));
      }
      return found;
    },
    replay: async (id) => {
      const { shard, entry } = place(id);
      const { text, actors } = await get(id);
      if (actors.length === 0) {
        throw new OstlerError("conflict", "this message does not parse, and would be put aside again: drop it", { details: { id } });
      }
      if (!(await replayDeadLetter(redis, keys, { shard, entry, mail: withoutReply(text) }))) throw unknown(id);
      await confirm();
    },
    drop: async (id) => {
      const { shard, entry } = place(id);
      if ((await redis.xdel(keys.dead(shard), entry)) === 0) throw unknown(id);
      await confirm();
    },
  };
}

function read(shard: number, raw: unknown): DeadLetter {
  const [entry, fields] = Entry.parse(raw);
  const values = new Map(fields.flatMap((field, index) => (index % 2 === 0 ? [[field, fields[index + 1] ?? ""] as const] : [])));
  const text = values.get("m") ?? "";
  const mail = parseMail(text);
  return {
    id: `${shard}.${entry}`,
    at: Number(entry.split("-")[0]),
    reason: values.get("reason") ?? "",
    actors: [...new Set(mail?.map(([actor]) => actor))],
    text,
  };
}

function parseMail(text: string): z.infer<typeof Mail> | undefined {
  try {
    return Mail.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Who asked first has had an answer, and is not there any more. */
function withoutReply(text: string): string {
  return JSON.stringify(parseMail(text)?.map(([actor, message]) => [actor, message]));
}

function unknown(id: string): OstlerError {
  return new OstlerError("dead_letter_not_found", `there is no dead letter ${id.slice(0, 100)}`, { details: { id: id.slice(0, 100) } });
}
