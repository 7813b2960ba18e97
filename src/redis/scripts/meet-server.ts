import { z } from "zod";
import { defineScript } from "../define-script.ts";

/** Compares the server with the one in `meta`, and draws a new history id if it is another. */
export const meetServerScript = defineScript({
  file: new URL("./meet-server.lua", import.meta.url),
  keys: (_: { server: string; history: string }, keys) => [keys.meta],
  args: ({ server, history }) => [server, history],
  reply: z.union([
    z
      .tuple([z.string(), z.string(), z.number(), z.number()])
      .transform(([installation, history, shards, protocol]) => ({ installation, history, shards, protocol })),
    z.tuple([]).transform(() => undefined),
  ]),
});
