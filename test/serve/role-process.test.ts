import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { keepRole, type RoleProcess } from "../../src/serve/role-process.ts";
import { newFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";

const fixture = join(import.meta.dirname, "fixtures/role.ts");
const kept: RoleProcess[] = [];

afterEach(async () => {
  for (const role of kept.splice(0)) {
    role.kill();
    await role.stop();
  }
});

function keep(env: Readonly<Record<string, string>> = {}, stopTimeoutMs = 10_000) {
  const journal = join(newFolder("role"), "journal");
  const urls: (string | undefined)[] = [];
  const role = keepRole({
    role: "api",
    spawn: () =>
      spawn(process.execPath, [fixture, "--roles", "api"], {
        env: { ...process.env, ...env, JOURNAL: journal },
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      }),
    stopTimeoutMs,
    onReady: (url) => urls.push(url),
    log: pino({ level: "silent" }),
  });
  kept.push(role);
  const lines = () => readFileSync(journal, "utf8").trim().split("\n");
  return { role, urls, lines, pid: () => Number(lines().at(-1)?.split(" ").at(-1)) };
}

describe("a role's process", () => {
  it("says when it is ready and where it listens", async () => {
    const { role, urls } = keep();
    await role.ready;
    expect(urls).toEqual(["http://127.0.0.1:4711"]);
  });

  it("is started again when it dies, as often as it dies", async () => {
    const { role, urls, pid } = keep();
    await role.ready;
    for (const times of [2, 3]) {
      process.kill(pid(), "SIGKILL");
      await until("it is ready again", () => urls.length === times);
    }
  });

  it("is not started again when it gives up", async () => {
    const { role, urls, pid } = keep({ GIVE_UP: "api" });
    await role.ready;
    let over = false;
    void role.over.then(() => {
      over = true;
    });
    process.kill(pid(), "SIGUSR1");
    await until("nothing is started any more", () => over, 5_000);
    expect(urls).toHaveLength(1);
  });

  it("is asked to close, and not started again", async () => {
    const { role, lines } = keep();
    await role.ready;
    await role.stop();
    expect(lines().map((line) => line.replace(/ \d+$/, ""))).toEqual(["api started", "api signal"]);
  });

  it("is killed where it does not close in time", async () => {
    const { role, pid } = keep({ DEAF: "api" }, 100);
    await role.ready;
    const deaf = pid();
    await role.stop();
    expect(() => process.kill(deaf, 0)).toThrow(/ESRCH/);
  });

  it("makes the start fail when it ends before it was ever ready", async () => {
    await expect(keep({ FAIL: "api" }).role.ready).rejects.toThrow(/the api did not start \(exit code 9\)/);
  });
});
