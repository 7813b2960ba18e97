import { type FileHandle, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { createBatcher } from "./batcher.ts";
import type { Report } from "./report.ts";

/** A line of a segment. */
const Line = z.object({ assignment: z.string(), message: z.unknown() });

/** A roll-back of Redis may ask again for what was handled so long ago. */
const keepMs = 10 * 60_000;
const segmentMs = 60_000;
const maxSegmentBytes = 16 * 1024 * 1024;
const maxLinesPerWrite = 1_000;
const syncEveryMs = 100;

/** Reports on disk: appended to segments of a minute, which go once all that they hold is settled for ten minutes. */
export interface ReportSpool {
  /** Resolves once the report survives this process; on a full disk it is kept in memory only. */
  readonly keep: (report: Report) => Promise<void>;
  /** A report that is not settled yet. */
  readonly find: (assignment: string) => Report | undefined;
  readonly unsettled: () => Iterable<string>;
  /** The run has handled it. */
  readonly settle: (assignment: string) => void;
  /** Looks through everything on disk and takes back what is found; for assignments that turn up again, after a restart or a roll-back. */
  readonly recall: (assignments: ReadonlySet<string>) => Promise<void>;
  readonly sweep: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Segment {
  readonly path: string;
  readonly openedAt: number;
  bytes: number;
  unsettled: number;
  settledAt: number;
}

export async function openReportSpool(folder: string, options: { readonly now: () => number; readonly log: Logger }): Promise<ReportSpool> {
  const { now, log } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const segments: Segment[] = (await readdir(folder))
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => ({ path: join(folder, name), openedAt: 0, bytes: 0, unsettled: 0, settledAt: now() }));
  const reports = new Map<string, { readonly report: Report; readonly segment: Segment | undefined }>();
  let current: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  let syncing: Promise<void> | undefined;
  let sequence = 0;

  const segmentForWriting = async () => {
    const full = current && (now() - current.segment.openedAt > segmentMs || current.segment.bytes > maxSegmentBytes);
    if (current && !full) return current;
    await syncing;
    await current?.file.close();
    current = undefined;
    sequence += 1;
    const path = join(folder, `${String(now()).padStart(15, "0")}-${String(sequence).padStart(6, "0")}.jsonl`);
    const file = await open(path, "a", 0o600);
    const segment: Segment = { path, openedAt: now(), bytes: 0, unsettled: 0, settledAt: now() };
    segments.push(segment);
    current = { segment, file };
    return current;
  };

  const scheduleSync = (file: FileHandle) => {
    syncing ??= new Promise<void>((resolve) => setTimeout(resolve, syncEveryMs))
      .then(() => file.datasync())
      .catch((err: unknown) => log.warn({ err }, "reports could not be synced"))
      .finally(() => {
        syncing = undefined;
      });
  };

  const remember = (report: Report, segment: Segment | undefined) => {
    if (reports.has(report.assignment)) return;
    if (segment) segment.unsettled += 1;
    reports.set(report.assignment, { report, segment });
  };

  const writer = createBatcher<Report>(maxLinesPerWrite, async (batch) => {
    try {
      const { segment, file } = await segmentForWriting();
      const text = batch.map(({ assignment, message }) => `{"assignment":"${assignment}","message":${message}}\n`).join("");
      await file.appendFile(text);
      segment.bytes += text.length;
      for (const report of batch) remember(report, segment);
      scheduleSync(file);
    } catch (err) {
      log.error({ err }, "reports could not be written to disk: they are lost if this process ends now");
      for (const report of batch) remember(report, undefined);
    }
  });

  return {
    keep: writer.add,
    find: (assignment) => reports.get(assignment)?.report,
    unsettled: () => reports.keys(),
    settle: (assignment) => {
      const segment = reports.get(assignment)?.segment;
      reports.delete(assignment);
      if (!segment) return;
      segment.unsettled -= 1;
      segment.settledAt = now();
    },
    recall: async (assignments) => {
      if (assignments.size === 0) return;
      for (const segment of segments) {
        for (const report of await readSegment(segment.path)) {
          if (assignments.has(report.assignment)) remember(report, segment);
        }
      }
    },
    sweep: async () => {
      for (const segment of [...segments]) {
        if (segment === current?.segment || segment.unsettled > 0 || now() - segment.settledAt < keepMs) continue;
        await rm(segment.path, { force: true });
        segments.splice(segments.indexOf(segment), 1);
      }
    },
    close: async () => {
      await syncing;
      await current?.file.datasync().catch(() => {});
      await current?.file.close();
      current = undefined;
    },
  };
}

/** The whole lines of a segment: a crash may have cut the last one. */
async function readSegment(path: string): Promise<readonly Report[]> {
  const lines = (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    try {
      const { assignment, message } = Line.parse(JSON.parse(line));
      return [{ assignment, message: JSON.stringify(message) }];
    } catch {
      return [];
    }
  });
}
