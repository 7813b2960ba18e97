import { describe, expect, it } from "vitest";
import { streamAnswer } from "../support/played-server.ts";
import { attemptView, runView, stepView, taskView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, eventStream, inTurn, type PlayedRoutes, playApi, refusal, runEvent } from "./played-api.ts";

const id = "01m857b4n100007d1txgwqxmem";
const steps = [stepView({ name: "npm ci" }), stepView({ name: "unit tests" })];
const text = (body: string) => always({ headers: { "content-type": "text/plain; charset=utf-8" }, body });
const chunk = (from: number, body: string) =>
  `id: ${from + Buffer.byteLength(body)}\nevent: chunk\ndata: ${JSON.stringify({ offset: from, text: body })}\n\n`;
const end = (complete = true) => `event: end\ndata: ${JSON.stringify({ size: 9, sha256: null, complete })}\n\n`;

const finished = { phase: "finished", result: "success" } as const;

function build(attempt: number, status: "running" | "success" = "success") {
  return taskView({ status, attempt, attempts: [attemptView({ number: attempt, steps })] });
}

function playRun(tasks: NonNullable<Parameters<typeof runView>[0]>["tasks"], routes: PlayedRoutes) {
  return playApi({
    [`GET /runs/${id}`]: always({ json: runView({ ...finished, tasks: tasks ?? {} }) }),
    [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, finished)])),
    ...routes,
  });
}

describe("ostler logs", () => {
  it.each([
    ["build", ""],
    ["build/setup", "?setup=true"],
    ["build/1", "?step=1"],
    ["build/unit tests", "?step=1"],
  ])("prints the text of %s as it is", async (target, query) => {
    const server = await playRun({ build: build(1) }, { [`GET /runs/${id}/tasks/build/logs`]: text("\x1b[31mred\x1b[0m\r\nno end") });
    expect(await ostler(["logs", `${id}/${target}`], { url: server.url })).toEqual({
      code: 0,
      stdout: "\x1b[31mred\x1b[0m\r\nno end",
      stderr: "",
    });
    expect(server.requests.at(-1)?.target).toBe(`/api/v1/runs/${id}/tasks/build/logs${query}`);
  });

  it("says that the server went away in the middle of a log, and exits with 10", async () => {
    const cut = always((response) => {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.write("half a lo", () => response.destroy());
    });
    const server = await playRun({ build: build(1) }, { [`GET /runs/${id}/tasks/build/logs`]: cut });
    expect(await ostler(["logs", `${id}/build`], { url: server.url })).toEqual({
      code: 10,
      stdout: "half a lo",
      stderr: `ostler: the connection to ${server.url} broke before the answer's end\n`,
    });
  });

  it("hands its filters on", async () => {
    const server = await playRun({ build: build(2) }, { [`GET /runs/${id}/tasks/build/logs`]: text("") });
    await ostler(["logs", `${id}/build/0`, "--attempt", "1", "-n", "5", "-t", "--grep", "a|b"], { url: server.url });
    expect(server.requests.at(-1)?.target).toContain("?step=0&attempt=1&tail=5&timestamps=true&grep=a%7Cb");
  });

  it("names the steps where the one that was meant is not among them", async () => {
    const server = await playRun({ build: build(1) }, {});
    const refused = await ostler(["logs", `${id}/build/lint`], { url: server.url });
    expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining("0  npm ci\n  1  unit tests") });
  });

  it("of a run put the task's name before each whole line", async () => {
    const server = await playRun(
      { b: build(1), later: taskView(), alpha: build(1) },
      { [`GET /runs/${id}/tasks/alpha/logs`]: text("one\ntwo"), [`GET /runs/${id}/tasks/b/logs`]: text("three\n") },
    );
    expect((await ostler(["logs", id], { url: server.url })).stdout).toBe("alpha | one\nalpha | two\nb     | three\n");
  });

  it.each([
    ["at once", ["logs", id], text("there\n")],
    ["as they grow", ["logs", "-f", id], always(streamAnswer([chunk(0, "there\n"), end()]))],
  ])("of a run, printed %s, go on after one that was deleted", async (_, argv, there) => {
    const deleted = always(refusal(404, "log_deleted", "the logs of attempt 1 of task a were deleted"));
    const routes = { [`GET /runs/${id}/tasks/a/logs`]: deleted, [`GET /runs/${id}/tasks/b/logs`]: there };
    const server = await playRun({ a: build(1), b: build(1) }, routes);
    expect(await ostler(argv, { url: server.url })).toEqual({
      code: 0,
      stdout: "b | there\n",
      stderr: "--- a: the logs of attempt 1 of task a were deleted ---\n",
    });
  });

  it("say why there is none", async () => {
    const waits = taskView({ waitingReason: { type: "maintenance", message: "the installation is in maintenance" } });
    const server = await playRun({ build: waits }, { [`GET /runs/${id}/tasks/build/logs`]: text("") });
    expect((await ostler(["logs", `${id}/build`], { url: server.url })).stderr).toBe(
      "build has no log: the installation is in maintenance\n",
    );
  });
});

describe("ostler logs -f", () => {
  it("goes on with a retry, which it announces, and ends when the task has", async () => {
    const server = await playApi({
      [`GET /runs/${id}`]: inTurn(
        { json: runView({ tasks: { build: build(1, "running") } }) },
        { json: runView({ ...finished, tasks: { build: build(2) } }) },
      ),
      [`GET /runs/${id}/events`]: always(eventStream([runEvent(1, finished)])),
      [`GET /runs/${id}/tasks/build/logs`]: inTurn(streamAnswer([chunk(0, "first\n"), end()]), streamAnswer([chunk(0, "second\n"), end()])),
    });
    const followed = await ostler(["logs", "-f", `${id}/build`], { url: server.url });
    expect(followed).toEqual({ code: 0, stdout: "first\nsecond\n", stderr: "--- build: attempt 2 ---\n" });
    const asked = server.requests.filter(({ target }) => target.includes("logs")).map(({ target }) => target.split("?")[1]);
    expect(asked).toEqual(["attempt=1&follow=true", "attempt=2&follow=true"]);
  });

  it("says on stderr what is lost", async () => {
    const gap = 'id: 8\nevent: gap\ndata: {"from":3,"to":8,"why":"its executor is gone"}\n\n';
    const server = await playRun(
      { build: build(1) },
      { [`GET /runs/${id}/tasks/build/logs`]: always(streamAnswer([chunk(0, "ab\n"), gap, chunk(8, "z"), end(false)])) },
    );
    expect(await ostler(["logs", "-f", `${id}/build`], { url: server.url })).toEqual({
      code: 0,
      stdout: "ab\nz",
      stderr: "--- build: 5 bytes are lost: its executor is gone ---\n--- build: the log is incomplete ---\n",
    });
  });

  it("of a run keeps the lines of its tasks whole, however their pieces come", async () => {
    const server = await playRun(
      { a: build(1), b: build(1) },
      {
        [`GET /runs/${id}/tasks/a/logs`]: always(streamAnswer([chunk(0, "o"), chunk(1, "ne\ntw"), chunk(6, "o"), end()])),
        [`GET /runs/${id}/tasks/b/logs`]: always(streamAnswer([chunk(0, "three\n"), end()])),
      },
    );
    const { stdout, code } = await ostler(["logs", "-f", id], { url: server.url });
    expect(code).toBe(0);
    expect(stdout.split("\n").toSorted()).toEqual(["", "a | one", "a | two", "b | three"]);
  });
});
