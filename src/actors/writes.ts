import { assertNever } from "../errors.ts";
import type { Keys } from "../redis/keys.ts";
import { actorId, type Letter, shardOf } from "../redis/mail.ts";
import type { Write } from "../redis/scripts/commit.ts";
import type { Effect, HashWrite, RecordedWork, Reply, StateWrite } from "./actor.ts";

/** Redis refuses scripts that unpack more than some 8,000 values at once. */
const wordsPerWrite = 4_000;

/** Collects what a batch of decisions writes, grouped so that a commit costs by keys and not by decisions. */
export interface Writes {
  readonly state: (shard: number, actor: string, write: StateWrite) => void;
  readonly deadline: (shard: number, actor: string, at: number | undefined) => void;
  /** `shard` is that of the actor that caused it. `send` is not taken here: the owner routes mail first. */
  readonly effect: (shard: number, effect: Exclude<Effect, { type: "send" }>) => void;
  readonly mail: (shard: number, letter: Letter) => void;
  readonly reply: (processId: string, requestId: string, reply: Reply) => void;
  readonly deadLetter: (shard: number, raw: string, reason: string) => void;
  readonly finish: () => FinishedWrites;
}

export interface FinishedWrites {
  readonly writes: readonly Write[];
  readonly absent: readonly string[];
  /** Executors to wake once committed, with what they were given. */
  readonly assigned: ReadonlyMap<string, readonly string[]>;
  /** How many messages and entries are put aside. */
  readonly deadLetters: number;
  /** Executors whose record is deleted, unless they have registered anew. */
  readonly removed: readonly string[];
  readonly recorded: readonly { readonly shard: number; readonly id: string; readonly work: RecordedWork }[];
  readonly unrecorded: readonly { readonly shard: number; readonly id: string }[];
}

/** Appends to a map's list. */
function add<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Appends two words to a map's list. */
function addPair<Key>(lists: Map<Key, (string | number)[]>, key: Key, first: string | number, second: string | number): void {
  const list = lists.get(key);
  if (list) list.push(first, second);
  else lists.set(key, [first, second]);
}

/** `command key words…`, split where it would be too long; `unit` words stay together. */
function split(command: string, key: string, words: readonly (string | number)[], unit: number): Write[] {
  if (words.length <= wordsPerWrite) return [[command, key, ...words]];
  const size = wordsPerWrite - (wordsPerWrite % unit);
  const writes: Write[] = [];
  for (let at = 0; at < words.length; at += size) writes.push([command, key, ...words.slice(at, at + size)]);
  return writes;
}

/** An entry is decided as a whole, so it must not take an owner's lease. */
const lettersPerEntry = 100;

function mailWrites(inbox: string, letters: readonly Letter[]): Write[] {
  const writes: Write[] = [];
  for (let at = 0; at < letters.length; at += lettersPerEntry) {
    writes.push(["XADD", inbox, "*", "m", JSON.stringify(letters.slice(at, at + lettersPerEntry))]);
  }
  return writes;
}

export function createWrites(keys: Keys): Writes {
  const sets = new Map<string, (string | number)[]>();
  const removals = new Map<string, string[]>();
  const dueSets = new Map<number, (string | number)[]>();
  const dueRemovals = new Map<number, string[]>();
  const assigned = new Map<string, string[]>();
  const late: Write[] = [];
  const wake = new Set<string>();
  const absent: string[] = [];
  const removed: string[] = [];
  let deadLetters = 0;
  const events = new Map<string, string[]>();
  const forgotten = new Set<string>();
  const rows: unknown[] = [];
  const mail = new Map<number, Letter[]>();
  const replies: Write[] = [];
  const recorded: { shard: number; id: string; work: RecordedWork }[] = [];
  const unrecorded: { shard: number; id: string }[] = [];

  const hash = ({ key, set, remove }: HashWrite) => {
    for (const field in set) addPair(sets, key, field, set[field] ?? "");
    for (const field of remove) add(removals, key, field);
  };

  /** Per run the list that its events go to ("" for none), and their text: it travels once, for list and stream. */
  const eventWrite = (): Write[] => {
    if (events.size === 0) return [];
    const words: string[] = ["@events", keys.events];
    for (const [run, texts] of events) words.push(forgotten.has(run) ? "" : keys.runEvents(run), `[${texts.join(",")}]`);
    return [words];
  };

  return {
    state: (shard, actor, write) => {
      if (write.state === null) add(removals, keys.state(shard), actor);
      else addPair(sets, keys.state(shard), actor, write.state);
      for (const each of write.hashes) hash(each);
    },
    deadline: (shard, actor, at) => {
      if (at === undefined) add(dueRemovals, shard, actor);
      else addPair(dueSets, shard, at, actor);
    },
    effect: (shard, effect) => {
      switch (effect.type) {
        case "event":
          add(events, effect.event.runId, JSON.stringify(effect.event));
          return;
        case "row":
          rows.push(effect.row);
          return;
        case "assign":
          addPair(sets, keys.executorTodo(effect.executor), effect.assignment, `run:${effect.incarnation}`);
          add(assigned, effect.executor, effect.assignment);
          return;
        case "readdress":
          late.push(["@readdress", keys.executorTodo(effect.executor), effect.assignment, `run:${effect.incarnation}`]);
          wake.add(effect.executor);
          return;
        case "stop-assignment":
          late.push(["@stop", keys.executorTodo(effect.executor), effect.assignment]);
          wake.add(effect.executor);
          return;
        case "settle-assignment":
          add(removals, keys.executorTodo(effect.executor), effect.assignment);
          add(removals, keys.executorHeld(effect.executor), effect.assignment);
          return;
        case "executor-record":
          for (const [field, value] of Object.entries(effect.fields)) addPair(sets, keys.executor(effect.executor), field, value);
          wake.add(effect.executor);
          return;
        case "executor-lost":
          absent.push(keys.executorAlive(effect.executor));
          late.push(["@stop-all", keys.executorTodo(effect.executor)]);
          wake.add(effect.executor);
          return;
        case "executor-removed": {
          const { executor, incarnation } = effect;
          const parts = [keys.executorAlive(executor), keys.executorTodo(executor), keys.executorHeld(executor)];
          late.push(["@remove-executor", keys.executor(executor), incarnation, keys.executors, executor, ...parts]);
          wake.add(executor);
          removed.push(executor);
          return;
        }
        case "record":
          addPair(sets, keys.effects(shard), effect.id, JSON.stringify(effect.work));
          recorded.push({ shard, id: effect.id, work: effect.work });
          return;
        case "unrecord":
          add(removals, keys.effects(shard), effect.id);
          unrecorded.push({ shard, id: effect.id });
          return;
        case "forget-run":
          forgotten.add(effect.runId);
          late.push(
            ["DEL", keys.run(effect.runId), keys.runDefinition(effect.runId), keys.runTasks(effect.runId), keys.runEvents(effect.runId)],
            // `archived` comes first: read-run.lua looks there.
            ["HSET", keys.run(effect.runId), "archived", effect.tombstoneUntil, "number", effect.number],
            ["PEXPIREAT", keys.run(effect.runId), effect.tombstoneUntil],
          );
          return;
        default:
          assertNever(effect);
      }
    },
    mail: (shard, letter) => add(mail, shard, letter),
    reply: (processId, requestId, reply) => {
      replies.push(["@reply", keys.reply(processId), requestId, JSON.stringify(reply), keys.events]);
    },
    deadLetter: (shard, raw, reason) => {
      deadLetters += 1;
      late.push(["XADD", keys.dead(shard), "MAXLEN", "~", 10_000, "*", "m", raw, "reason", reason]);
    },
    finish: () => ({
      writes: [
        ...[...sets].flatMap(([key, words]) => split("HSET", key, words, 2)),
        ...[...removals].flatMap(([key, words]) => split("HDEL", key, words, 1)),
        ...[...dueSets].flatMap(([shard, words]) => split("ZADD", keys.due(shard), words, 2)),
        ...[...dueRemovals].flatMap(([shard, words]) => split("ZREM", keys.due(shard), words, 1)),
        ...late,
        ...eventWrite(),
        ...(rows.length > 0 ? [["XADD", keys.indexRows, "*", "r", JSON.stringify(rows)]] : []),
        ...[...mail].flatMap(([shard, letters]) => mailWrites(keys.inbox(shard), letters)),
        ...replies,
        ...[...wake].map((executor): Write => ["PUBLISH", keys.executorWake(executor), ""]),
      ],
      absent,
      assigned,
      deadLetters,
      removed,
      recorded,
      unrecorded,
    }),
  };
}

/** Where a letter goes, and as what. */
export function address(effect: Extract<Effect, { type: "send" }>, shards: number): { readonly shard: number; readonly letter: Letter } {
  return { shard: shardOf(effect.to, shards), letter: [actorId(effect.to), effect.message] };
}
