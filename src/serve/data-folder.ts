import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { reasonOf, StartError } from "./start-error.ts";

/** Who serves a data folder, as it tells others. `url` is known once the API listens. */
const Holder = z.object({ pid: z.number(), host: z.string(), url: z.string().optional() });
type Holder = z.infer<typeof Holder>;

/** The right to serve a data folder. */
export interface DataFolder {
  readonly path: string;
  /** Tells whoever starts next where the API is. */
  readonly announce: (url: string) => void;
  readonly release: () => void;
}

/**
 * Takes the data folder for this process, creating it (mode 0700) if absent; throws StartError that names the process that has it.
 * The lock is SQLite's on an empty database, hence the kernel's on a file: it cannot outlive its process, however that dies.
 */
export function takeDataFolder(path: string): DataFolder {
  const holderPath = join(path, "serve.json");
  const lock = openLock(path);
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (isBusy(error)) throw new StartError(describe(path, readHolder(holderPath)), { cause: error });
    throw new StartError(`cannot lock the data folder ${path}: ${reasonOf(error)}`, { cause: error });
  }
  const tell = (holder: Holder) => replaceFile(holderPath, `${JSON.stringify(holder)}\n`);
  const self = { pid: process.pid, host: hostname() };
  tell(self);
  return {
    path,
    announce: (url) => tell({ ...self, url }),
    release: () => {
      rmSync(holderPath, { force: true });
      lock.close();
    },
  };
}

function openLock(path: string): DatabaseSync {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(path, "lock"), { timeout: 0 });
  } catch (error) {
    throw new StartError(`cannot use the data folder ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

const sqliteBusy = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}

function readHolder(path: string): Holder | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Not written yet: the holder is just starting.
    return undefined;
  }
}

function describe(path: string, holder: Holder | undefined): string {
  if (!holder) return `another ostler is starting with the data folder ${path}`;
  const where = holder.url === undefined ? "is starting" : `listens on ${holder.url}`;
  return `ostler runs already with the data folder ${path}: process ${holder.pid} on ${holder.host} ${where}`;
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
