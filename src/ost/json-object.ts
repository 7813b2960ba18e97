import type { z } from "zod";
import type { Store } from "./store.ts";

/** The JSON object at `key`; undefined if there is none. Throws if it is not what `schema` says: it was written by us, or is damaged. */
export async function readJson<T>(store: Store, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const bytes = await store.get(key);
  if (!bytes) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw new Error(`the object ${key} is damaged, or of a version that this build does not know`, { cause });
  }
}

/** JSON as objects hold it: with a newline at its end, so that people can `cat` it. */
export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`, "utf8");
}
