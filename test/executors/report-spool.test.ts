import { appendFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openReportSpool } from "../../src/executors/report-spool.ts";

const log = pino({ level: "silent" });
const minuteMs = 60_000;

describe("the spool of reports", () => {
  let folder: string;
  let now: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostler-reports-"));
    now = 1_000_000;
  });
  afterEach(() => rm(folder, { recursive: true }));
  const open = () => openReportSpool(folder, { now: () => now, log });
  const report = (assignment: string) => ({ assignment, message: JSON.stringify({ type: "attempt-ended", assignment }) });

  it("finds what it keeps until it is settled", async () => {
    const spool = await open();
    await Promise.all([spool.keep(report("a")), spool.keep(report("b"))]);
    expect([...spool.unsettled()]).toEqual(["a", "b"]);
    spool.settle("a");
    expect(spool.find("a")).toBeUndefined();
    expect(spool.find("b")).toEqual(report("b"));
    await spool.close();
  });

  it("recalls what an earlier process kept, settled or not, and nothing that is not asked for", async () => {
    const first = await open();
    await Promise.all(["a", "b", "c"].map((id) => first.keep(report(id))));
    first.settle("a");
    await first.close();
    const second = await open();
    expect([...second.unsettled()]).toEqual([]);
    await second.recall(new Set(["a", "c", "unknown"]));
    expect([...second.unsettled()].sort()).toEqual(["a", "c"]);
    await second.close();
  });

  it("keeps files for ten minutes after all in them is settled, then removes them", async () => {
    const spool = await open();
    await spool.keep(report("a"));
    now += 2 * minuteMs;
    await spool.keep(report("b"));
    expect(await readdir(folder)).toHaveLength(2);
    now += 20 * minuteMs;
    await spool.sweep();
    expect(await readdir(folder)).toHaveLength(2);
    spool.settle("a");
    now += 10 * minuteMs - 1;
    await spool.sweep();
    expect(await readdir(folder)).toHaveLength(2);
    now += 1;
    await spool.sweep();
    expect(await readdir(folder)).toHaveLength(1);
    await spool.close();
  });

  it("reads past a line that a crash has cut", async () => {
    const first = await open();
    await first.keep(report("a"));
    await first.close();
    const [file = ""] = await readdir(folder);
    await appendFile(join(folder, file), '{"assignment":"b","mess');
    const second = await open();
    await second.recall(new Set(["a", "b"]));
    expect([...second.unsettled()]).toEqual(["a"]);
    await second.close();
  });

  it("keeps reports in memory where they cannot be written", async () => {
    const spool = await open();
    await rm(folder, { recursive: true });
    await spool.keep(report("a"));
    expect(spool.find("a")).toEqual(report("a"));
    await spool.close();
    const restored = await open();
    await restored.close();
  });
});
