import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

export interface ScriptDefinition<Input, Reply> {
  /** The Lua file, beside its wrapper: `new URL("./x.lua", import.meta.url)`. */
  readonly file: URL;
  readonly keys: (input: Input, keys: Keys) => readonly string[];
  readonly args: (input: Input) => readonly (string | number | Buffer)[];
  readonly reply: z.ZodType<Reply>;
}

export type Script<Input, Reply> = (redis: RedisConnection, keys: Keys, input: Input) => Promise<Reply>;

function isMissingScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

/** A Lua script as a typed function. Sent by its hash; in full to a server that does not know it yet. */
export function defineScript<Input, Reply>(definition: ScriptDefinition<Input, Reply>): Script<Input, Reply> {
  const source = readFileSync(definition.file, "utf8");
  const sha = createHash("sha1").update(source).digest("hex");
  return async (redis, keys, input) => {
    const names = definition.keys(input, keys);
    // As one list: a commit may have more arguments than a call can spread.
    const words = [sha, names.length, ...names, ...definition.args(input)];
    try {
      return definition.reply.parse(await redis.call("EVALSHA", words));
    } catch (error) {
      if (!isMissingScript(error)) throw error;
      words[0] = source;
      return definition.reply.parse(await redis.call("EVAL", words));
    }
  };
}
