import { z } from "zod";
import type { ExecutorDescription } from "../../actors/executor/description.ts";
import { shardOfPool } from "../../ids.ts";
import { defineScript } from "../define-script.ts";
import { refused } from "./incarnation-reply.ts";

export interface ArchsDeclaration {
  /** With the architectures of now. */
  readonly description: ExecutorDescription;
  readonly incarnation: string;
  readonly shards: number;
}

/** Tells record and actor which architectures an executor offers now. Repeating it changes nothing. */
export const declareArchs = defineScript({
  file: new URL("./declare-archs.lua", import.meta.url),
  keys: ({ description: { id, pool }, shards }: ArchsDeclaration, keys) => [keys.executor(id), keys.inbox(shardOfPool(pool, shards))],
  args: ({ description, incarnation }) => [
    incarnation,
    JSON.stringify(description),
    JSON.stringify([[`executor/${description.id}`, { type: "archs-changed", incarnation, archs: description.archs }]]),
  ],
  reply: z.union([z.tuple([z.literal("declared"), z.number()]).transform(([type, now]) => ({ type, now })), refused]),
});
