import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { openDatabase } from "./database.ts";
import { type Answer, operations, type Request } from "./operations.ts";

const { folder } = z.object({ folder: z.string() }).parse(workerData);
const db = openDatabase(folder);

function perform({ id, name, input }: Request): Answer {
  try {
    // Name and input were paired by `ReadModel.call`, which only takes an operation's own input.
    const operation = operations[name] as (database: typeof db, input: unknown) => unknown;
    return { id, value: operation(db, input) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on("message", (message: Request | "close") => {
  if (message === "close") {
    db.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(perform(message));
});
