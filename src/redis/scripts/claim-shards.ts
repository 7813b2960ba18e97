import { z } from "zod";
import { defineScript } from "../define-script.ts";

export interface Claim {
  readonly scheduler: string;
  readonly leaseMs: number;
  readonly shards: number;
  /** A fresh random token; it becomes the fencing token of every shard taken by this call. */
  readonly token: string;
  readonly owned: readonly { readonly shard: number; readonly token: string; readonly number: number }[];
}

const shardList = z.array(z.number());

/** Registers a scheduler, renews its shards, and brings it towards its fair share. */
export const claimShards = defineScript({
  file: new URL("./claim-shards.lua", import.meta.url),
  keys: ({ shards }: Claim, keys) => {
    const all = Array.from({ length: shards }, (_, shard) => shard);
    return [keys.schedulers, keys.meta, ...all.map(keys.own), ...all.map(keys.sequence)];
  },
  args: ({ scheduler, leaseMs, shards, token, owned }) => [
    scheduler,
    leaseMs,
    shards,
    token,
    ...owned.flatMap((own) => [own.shard, own.token, own.number]),
  ],
  reply: z
    .tuple([z.number(), z.string(), shardList, shardList, shardList])
    .transform(([now, history, kept, released, taken]) => ({ now, history, kept, released, taken })),
});
