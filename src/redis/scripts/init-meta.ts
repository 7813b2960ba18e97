import { z } from "zod";
import { defineScript } from "../define-script.ts";

/** Writes `meta` if there is none; answers the installation id that counts. Numbers and settings must be restored before. */
export const initMeta = defineScript({
  file: new URL("./init-meta.lua", import.meta.url),
  keys: (_: { installation: string; shards: number; protocol: number }, keys) => [keys.meta],
  args: ({ installation, shards, protocol }) => [installation, shards, protocol],
  reply: z.string(),
});
