import { z } from "zod";
import { defineScript } from "../define-script.ts";

export interface Release {
  readonly scheduler: string;
  readonly owned: readonly { readonly shard: number; readonly token: string }[];
}

/** Gives up all shards at once, so that others need not wait for leases to run out. Answers how many there were. */
export const releaseShards = defineScript({
  file: new URL("./release-shards.lua", import.meta.url),
  keys: ({ owned }: Release, keys) => [keys.schedulers, ...owned.map(({ shard }) => keys.own(shard))],
  args: ({ scheduler, owned }) => [scheduler, ...owned.map(({ token }) => token)],
  reply: z.number(),
});
