import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { readJson } from "../ost/json-object.ts";
import { layout } from "../ost/layout.ts";
import type { Store } from "../ost/store.ts";
import { ArchivedRun } from "../runs/archived.ts";
import type { RunView } from "../runs/view.ts";
import { isDeleted } from "./delete-run.ts";

/** Tasks encoded at once: a run of a hundred thousand must not keep its scheduler from renewing leases for a second. */
const tasksPerPiece = 500;

/** Writes `run.json` unless it is there. `different` means that another one is there, which stays. */
export async function writeRun(store: Store, run: RunView): Promise<"written" | "same" | "different"> {
  const key = layout.run(run.id);
  const body = Object.keys(run.tasks).length <= tasksPerPiece ? Buffer.concat([...encodeRun(run)]) : withTurns(encodeRun(run));
  if (await store.put(key, body, { onlyIfAbsent: true })) return "written";
  const there = await store.stream(key);
  return there && (await digest(there)) === (await digest(withTurns(encodeRun(run)))) ? "same" : "different";
}

/** The JSON of an `ArchivedRun`, its tasks last. */
function* encodeRun({ tasks, ...run }: RunView): Generator<Buffer> {
  const head = JSON.stringify({ version: 1, run: { ...run, archived: true } } satisfies { version: 1; run: Omit<RunView, "tasks"> });
  let text = `${head.slice(0, -2)},"tasks":{`;
  let count = 0;
  for (const [name, task] of Object.entries(tasks)) {
    text += `${count === 0 ? "" : ","}${JSON.stringify(name)}:${JSON.stringify(task)}`;
    count += 1;
    if (count % tasksPerPiece !== 0) continue;
    yield Buffer.from(text, "utf8");
    text = "";
  }
  yield Buffer.from(`${text}}}}\n`, "utf8");
}

/** Lets everything else of this process go on between two pieces. */
async function* withTurns(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    yield piece;
    await nextTurn();
  }
}

async function digest(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
}

/** A run as it ended; undefined if it is not archived (yet), or was deleted. */
export async function readArchivedRun(store: Store, runId: string): Promise<ArchivedRun | undefined> {
  const archived = await readJson(store, layout.run(runId), ArchivedRun);
  // A deletion that was interrupted has left the object, but the mark counts.
  return archived && !(await isDeleted(store, runId)) ? archived : undefined;
}
