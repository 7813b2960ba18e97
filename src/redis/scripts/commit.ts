import { z } from "zod";
import { defineScript } from "../define-script.ts";

/** One word list: a Redis command with its arguments, or one of the commit's own verbs (see commit.lua). */
export type Write = readonly (string | number)[];

export interface ShardCommit {
  readonly shard: number;
  readonly token: string;
  /** This commit's number in the shard's chain: one more than the last one. */
  readonly number: number;
  /** The last inbox entry that this commit consumes, with all before it; undefined if it consumes none. */
  readonly consumed: string | undefined;
}

export interface Commit {
  readonly id: string;
  readonly leaseMs: number;
  readonly shards: readonly ShardCommit[];
  readonly absent: readonly string[];
  readonly writes: readonly Write[];
}

export type CommitReply =
  | { readonly type: "committed" | "repeated"; readonly now: number }
  /** `shard` is another owner's now. */
  | { readonly type: "lost"; readonly shard: number }
  /** Redis is not where the owner left it: everything cached is worthless. */
  | { readonly type: "broken"; readonly shard: number }
  | { readonly type: "present"; readonly key: string };

const Reply = z.union([
  z.tuple([z.enum(["committed", "repeated"]), z.number()]),
  z.tuple([z.enum(["lost", "broken"]), z.number()]),
  z.tuple([z.literal("present"), z.string()]),
]);

const script = defineScript<Commit, z.infer<typeof Reply>>({
  file: new URL("./commit.lua", import.meta.url),
  keys: ({ shards }, keys) => shards.flatMap(({ shard }) => [keys.own(shard), keys.sequence(shard), keys.inbox(shard)]),
  args: ({ id, leaseMs, shards, absent, writes }) => {
    const args: (string | number)[] = [shards.length, id, absent.length];
    for (const { token, number, consumed } of shards) args.push(token, number, leaseMs, consumed ?? "");
    args.push(...absent);
    for (const write of writes) {
      args.push(write.length);
      for (const word of write) args.push(word);
    }
    return args;
  },
  reply: Reply,
});

/** Sends a commit. A thrown error leaves open whether it was applied: send the same one again to learn it. */
export async function sendCommit(...[redis, keys, commit]: Parameters<typeof script>): Promise<CommitReply> {
  const reply = await script(redis, keys, commit);
  switch (reply[0]) {
    case "committed":
    case "repeated":
      return { type: reply[0], now: reply[1] };
    case "lost":
    case "broken":
      return { type: reply[0], shard: commit.shards[reply[1] - 1]?.shard ?? -1 };
    case "present":
      return { type: "present", key: reply[1] };
  }
}
