import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { runView, taskView } from "../support/run-views.ts";
import { until } from "../support/until.ts";
import { always, eventStream, playApi, runEvent } from "./played-api.ts";

const program = fileURLToPath(new URL("../../bin/ostler.js", import.meta.url));
const id = "01m857b4n100007d1txgwqxmem";

/** The command line as a process of its own. */
function start(argv: readonly string[], url: string) {
  const child: ChildProcess = spawn(process.execPath, [program, ...argv], { env: { PATH: process.env["PATH"], OSTLER_URL: url } });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

async function playRunning() {
  const running = runView();
  return playApi({
    [`GET /runs/${id}`]: always({ json: running }),
    [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, running)], "open")),
  });
}

describe("the process", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("detaches on %s, says how to come back, and exits with %i", async (signal, code) => {
    const { url } = await playRunning();
    const watch = start(["watch", id], url);
    await until("it watches", () => watch.stdout().includes("running"));
    watch.child.kill(signal);
    expect(await watch.ended).toBe(code);
    expect(watch.stderr()).toContain("come back:  ostler watch /project/web#12");
  });

  it("ends in silence when its reader has seen enough", async () => {
    const runs = Array.from({ length: 500 }, () => ({ ...runView({ name: "n".repeat(500) }), taskCounts: {} }));
    const { url } = await playApi({ "GET /runs": always({ json: { runs, nextCursor: null } }) });
    const list = start(["runs", "list", "--limit", "500"], url);
    list.child.stdout?.destroy();
    expect(await list.ended).toBe(141);
    expect(list.stderr()).toBe("");
  });

  it("ends by itself once its work is done, whatever connections are still open", async () => {
    const { url } = await playApi({ [`GET /runs/${id}`]: always({ json: runView({ tasks: { a: taskView() } }) }) });
    expect(await start(["runs", "get", id], url).ended).toBe(0);
  });
});
