import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { Interrupted } from "../../src/cli/failure.ts";
import type { RunView } from "../../src/runs/view.ts";
import { streamAnswer } from "../support/played-server.ts";
import { attemptView, runView, stepView, taskView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, eventStream, inTurn, playApi, runEvent } from "./played-api.ts";

const id = "01m857b4n100007d1txgwqxmem";
const at = "2026-01-01T00:00:00.000Z";
const running = runView({ tasks: { test: taskView({ status: "running", attempt: 1, attempts: [attemptView()], startedAt: at }) } });
const succeeded = runView({ phase: "finished", result: "success", finishedAt: at, tasks: { test: taskView({ status: "success" }) } });
const log = { size: 30, complete: true, deleted: false };
const failedStep = stepView({ name: "unit tests", phase: "failed", exitCode: 2, log });
const failed = runView({
  phase: "finished",
  result: "failed",
  finishedAt: at,
  canRestartFromFailed: true,
  tasks: {
    test: taskView({
      status: "failed",
      reason: "exit_code",
      attempt: 2,
      attempts: [attemptView({ number: 2, phase: "failed", steps: [failedStep] })],
    }),
    flaky: taskView({ status: "failed", reason: "exit_code", ignoreFailure: true }),
  },
});
const taskFailed = { id: "r-3", runId: "r", seq: 3, at, type: "task", task: "test", status: "failed", reason: "exit_code" } as const;

function playRun(views: readonly RunView[], extra: Parameters<typeof playApi>[0] = {}) {
  const ended = views.at(-1) ?? running;
  return playApi({
    [`GET /runs/${id}`]: inTurn(...views.map((json) => ({ json }))),
    [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, running), taskFailed, runEvent(4, ended)])),
    ...extra,
  });
}

describe("ostler watch", () => {
  it("prints a line per change in a pipe, and exits with the run's fate", async () => {
    const server = await playApi({
      [`GET /runs/${id}`]: inTurn({ json: running }, { json: succeeded }),
      [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, running), runEvent(2, succeeded)])),
    });
    expect(await ostler(["watch", id], { url: server.url })).toEqual({
      code: 0,
      stdout: `${at}  run  running\n${at}  run  success\n`,
      stderr: "",
    });
  });

  it("ends a failed run with the end of the failing log and what to type next", async () => {
    const server = await playRun([running, failed], {
      [`GET /runs/${id}/tasks/test/logs`]: always({ headers: { "content-type": "text/plain" }, body: "expected 1\ngot 2\n" }),
    });
    const done = await ostler(["watch", id], { url: server.url });
    expect(done.code).toBe(3);
    expect(done.stdout).toContain('test: exit code 2 in step 0 "unit tests"\n  | expected 1\n  | got 2\n');
    expect(done.stdout).not.toContain("flaky: ");
    expect(done.stderr).toContain("ostler logs /project/web#12/test");
    expect(done.stderr).toContain("ostler restart --from-failed /project/web#12");
    expect(server.requests.at(-1)?.target).toBe(`/api/v1/runs/${id}/tasks/test/logs?step=0&attempt=2&tail=20`);
  });

  it("shows the fate also where the log cannot be read", async () => {
    const done = await ostler(["watch", id], { url: (await playRun([failed])).url });
    expect(done.code).toBe(3);
    expect(done.stderr).toContain("its log cannot be read: nothing is played");
  });

  it("keeps stdout for the data where data was asked for", async () => {
    const done = await ostler(["watch", id, "-o", "json"], { url: (await playRun([running, failed])).url });
    expect(JSON.parse(done.stdout)).toEqual(failed);
    expect(done.stderr).toContain(`${at}  run  failed`);
  });

  it("outlives a server that is away for a while, and says so only if it lasts", async () => {
    const server = await playRun([running, succeeded], {
      [`GET /runs/${id}/events`]: inTurn(
        eventStream([runEvent(1, running)], "cut"),
        { status: 400 },
        eventStream([runEvent(2, succeeded)]),
      ),
    });
    const failedForGood = await ostler(["watch", id], { url: server.url });
    expect(failedForGood).toMatchObject({ code: 10, stderr: expect.stringContaining(`400 Bad Request from ${server.url}`) });

    const cut = await playRun([running, succeeded], {
      [`GET /runs/${id}/events`]: inTurn(eventStream([runEvent(1, running)], "cut"), eventStream([runEvent(2, succeeded)])),
    });
    expect(await ostler(["watch", id], { url: cut.url })).toMatchObject({ code: 0, stderr: "" });
  });

  it("detaches on an interruption, and says how to come back", async () => {
    const user = new AbortController();
    const server = await playRun([running], { [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, running)], "open")) });
    const onOutput = () => user.abort(new Interrupted(130));
    const done = await ostler(["watch", id], { url: server.url, signal: user.signal, onOutput });
    expect(done.code).toBe(130);
    expect(done.stderr).toContain("ostler watch /project/web#12");
    expect(server.requests.some(({ method }) => method === "POST")).toBe(false);
  });

  it("redraws a tree on a terminal, and gives the cursor back", async () => {
    const server = await playRun([running, running, succeeded]);
    const terminal = { columns: 80, rows: 24 };
    const done = await ostler(["watch", id], { url: server.url, terminal, now: () => Date.parse(at) });
    expect(done.stdout.startsWith("\x1b[?25l")).toBe(true);
    expect(done.stdout.endsWith("\x1b[?25h")).toBe(true);
    const text = stripVTControlCharacters(done.stdout);
    expect(text).toContain("● test");
    expect(text.slice(text.lastIndexOf("/project/web#12"))).toContain("✓ test");
  });

  it("prints plain lines on a terminal that cannot redraw", async () => {
    const server = await playRun([running, succeeded]);
    const done = await ostler(["watch", id], { url: server.url, terminal: { columns: 80, rows: 24 }, env: { TERM: "dumb" } });
    expect(done.stdout.split("\n")[0]).toBe(`${at}  run  running`);
  });
});

describe("ostler wait", () => {
  it("exits with the worst fate of several runs", async () => {
    const other = { ...succeeded, id: "01m857b4n20000aaaaaaaaaaaa", number: 13 };
    const server = await playApi({
      [`GET /runs/${id}`]: always({ json: failed }),
      [`GET /runs/${other.id}`]: always({ json: other }),
      [`GET /runs/${id}/events`]: always(eventStream([])),
      [`GET /runs/${other.id}/events`]: always(eventStream([])),
    });
    const done = await ostler(["wait", id, other.id], { url: server.url });
    expect(done.code).toBe(3);
    expect(done.stdout.split("\n").toSorted()).toEqual(["", "/project/web#12  failed", "/project/web#13  success"]);
  });

  it("gives up after its time-out, and names what is not over", async () => {
    const server = await playApi({
      [`GET /runs/${id}`]: always({ json: running }),
      [`GET /runs/${id}/events`]: always(streamAnswer([": still here\n\n"], "open")),
    });
    const done = await ostler(["wait", id, "--timeout", "20ms"], { url: server.url });
    expect(done).toEqual({ code: 6, stdout: "", stderr: "ostler: not over yet: /project/web#12\n" });
  });
});
