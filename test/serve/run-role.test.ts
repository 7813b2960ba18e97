import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { type Role, runRole } from "../../src/serve/run-role.ts";

const log = pino({ level: "silent" });
const ready = Promise.resolve();
const never = new Promise<void>(() => {});

describe("a role in its own process", () => {
  it("is closed when it ends by itself, and its fault goes on to the caller", async () => {
    const closed: string[] = [];
    const role = (name: string, ended: Promise<void>): Role => ({ ready, ended, close: async () => void closed.push(name) });
    await runRole(async () => role("done", ready), log);
    await expect(runRole(async () => role("broken", Promise.reject(new Error("no more"))), log)).rejects.toThrow("no more");
    await expect(runRole(async () => ({ ...role("unready", never), ready: Promise.reject(new Error("no start")) }), log)).rejects.toThrow(
      "no start",
    );
    expect(closed).toEqual(["done", "broken", "unready"]);
  });

  it("does not wait for ever for a role that cannot close", async () => {
    await runRole(async () => ({ ready, ended: ready, close: () => never }), log, 20);
  });
});
