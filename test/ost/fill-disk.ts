/** Fills a small disk (see small-disk.ts), and prints as JSON what the store made of it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { OstlerError } from "../../src/errors.ts";
import { openDirectory } from "../../src/ost/directory.ts";

const [root = ""] = process.argv.slice(2);

async function* letters(count: number, letter: string) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(65_536, letter);
}

async function refusal(put: Promise<boolean>) {
  try {
    return { code: "stored", message: String(await put) };
  } catch (error) {
    if (!(error instanceof OstlerError)) throw error;
    return { code: error.code, message: error.message };
  }
}

const store = await openDirectory(root);
await store.put("kept", Buffer.alloc(100_000, "k"));
const refused = await refusal(store.put("too-big", letters(16, "x")));
const replaced = (await refusal(store.put("kept", Buffer.alloc(500_000, "n")))).code;
const keptBytes = (await store.get("kept"))?.length;
const tooBig = (await store.get("too-big")) ? "present" : "absent";
const unfinished = await readdir(join(root, ".tmp"));
await store.delete(["kept"]);
const fits = await store.put("fits", letters(2, "y"));
process.stdout.write(JSON.stringify({ refused, replaced, keptBytes, tooBig, unfinished, fits }));
