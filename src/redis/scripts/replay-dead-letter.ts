import { z } from "zod";
import { defineScript } from "../define-script.ts";

export interface Replay {
  readonly shard: number;
  readonly entry: string;
  /** As it was put aside: actors are told again, nobody waits for a reply. */
  readonly mail: string;
}

/** True if the dead letter is in its shard's inbox now, false if there is none of that id (any more). */
export const replayDeadLetter = defineScript({
  file: new URL("./replay-dead-letter.lua", import.meta.url),
  keys: ({ shard }: Replay, keys) => [keys.dead(shard), keys.inbox(shard)],
  args: ({ entry, mail }) => [entry, mail],
  reply: z.union([z.literal(0), z.literal(1)]).transform((replayed) => replayed === 1),
});
