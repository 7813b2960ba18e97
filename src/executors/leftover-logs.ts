import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { finishLog, type LogOutlets } from "../ost/finish-log.ts";
import { openLogSpool, withLoss } from "./log-spool.ts";

/** What stands beside a spooled log, so that it can be stored without knowing its run. */
const Mark = z.object({
  version: z.literal(1),
  place: z.object({ assignment: z.string(), runId: z.string(), task: z.string(), attempt: z.number(), step: z.string() }),
  /** The step has ended and all of its log is spooled. */
  whole: z.boolean(),
});
export type LogMark = Omit<z.infer<typeof Mark>, "version">;

const markEnding = ".place";

export async function writeLogMark(spoolPath: string, mark: LogMark): Promise<void> {
  await writeFile(spoolPath + markEnding, JSON.stringify({ version: 1, ...mark }), { mode: 0o600 });
}

export async function removeLogMark(spoolPath: string): Promise<void> {
  await rm(spoolPath + markEnding, { force: true });
}

export interface LeftoverLogsOptions {
  readonly folder: string;
  readonly outlets: LogOutlets;
  /** Assignments whose logs still grow, or may be gone on with. */
  readonly isBusy: (assignment: string) => boolean;
  readonly log: Logger;
}

/** Stores logs that nobody writes any more: of attempts that were lost with a process, or that ost did not take in time. */
export async function finishLeftoverLogs({ folder, outlets, isBusy, log }: LeftoverLogsOptions): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith(markEnding)) continue;
    const path = join(folder, name.slice(0, -markEnding.length));
    const mark = await readMark(path + markEnding);
    if (!mark || isBusy(mark.place.assignment)) continue;
    const spool = await openLogSpool(path, true);
    const loss = mark.whole ? undefined : { from: spool.size(), why: "executor_lost" };
    try {
      await finishLog(outlets, { place: mark.place, chunks: withLoss(spool.read(0), loss), shipped: true });
      await spool.remove();
      await removeLogMark(path);
    } catch (err) {
      log.warn({ err, ...mark.place }, "a leftover log could not be stored yet");
    } finally {
      await spool.close();
    }
  }
}

async function readMark(path: string): Promise<LogMark | undefined> {
  try {
    return Mark.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
