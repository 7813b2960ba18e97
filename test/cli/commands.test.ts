import { describe, expect, it } from "vitest";
import { attemptView, runView, taskView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, playApi, refusal } from "./played-api.ts";

const id = "01m857b4n100007d1txgwqxmem";
const shown = (view: Parameters<typeof runView>[0] = {}) => ({ [`GET /runs/${id}`]: always({ json: runView(view) }) });
const done = always({ status: 204 });
const posts = (server: Awaited<ReturnType<typeof playApi>>) =>
  server.requests.filter(({ method }) => method !== "GET").map(({ target }) => target);

describe("ostler stop and cancel", () => {
  it.each(["stop", "cancel"])("%s takes the way that the run's phase allows", async (verb) => {
    const queued = await playApi({ ...shown({ phase: "queued" }), [`POST /runs/${id}/cancel`]: done });
    expect(await ostler([verb, id], { url: queued.url })).toMatchObject({ code: 0, stderr: "/project/web#12 is cancelled\n" });
    const running = await playApi({ ...shown(), [`POST /runs/${id}/stop`]: done });
    expect(await ostler([verb, id], { url: running.url })).toMatchObject({ code: 0, stderr: expect.stringContaining("is stopping") });
  });

  it("stops a run that left the queue in between", async () => {
    const server = await playApi({
      ...shown({ phase: "queued" }),
      [`POST /runs/${id}/cancel`]: always(refusal(409, "run_not_queued", "the run is running: stop it")),
      [`POST /runs/${id}/stop`]: done,
    });
    expect((await ostler(["stop", "--force", id], { url: server.url })).code).toBe(0);
    expect(posts(server)).toEqual([`/api/v1/runs/${id}/cancel`, `/api/v1/runs/${id}/stop`]);
    expect(server.requests.at(-1)?.body.toString()).toBe('{"force":true}');
  });

  it("leaves a run alone that is over", async () => {
    const server = await playApi(shown({ phase: "finished", result: "success" }));
    expect(await ostler(["stop", id], { url: server.url })).toMatchObject({
      code: 0,
      stderr: "/project/web#12 is over already: success\n",
    });
  });
});

describe("ostler approve and reject", () => {
  const waits = taskView({ waitingApproval: true });

  it("decides the only task that waits, with a message", async () => {
    const server = await playApi({
      ...shown({ tasks: { a: taskView(), "to prod": waits } }),
      [`POST /runs/${id}/tasks/to%20prod/approve`]: done,
    });
    const approved = await ostler(["approve", id, "-m", "looks good"], { url: server.url });
    expect(approved).toMatchObject({ code: 0, stderr: "approved /project/web#12/to prod\n" });
    expect(server.requests.at(-1)?.body.toString()).toBe('{"message":"looks good"}');
  });

  it("does not guess where several wait", async () => {
    const server = await playApi(shown({ tasks: { "to prod": waits, b: waits } }));
    const refused = await ostler(["reject", id], { url: server.url });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("ostler reject '/project/web#12/to prod'\n  ostler reject /project/web#12/b");
  });

  it("names the task that was probably meant", async () => {
    const server = await playApi(shown({ tasks: { deploy: waits } }));
    const refused = await ostler(["approve", `${id}/depoly`], { url: server.url });
    expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining("did you mean /project/web#12/deploy?") });
  });

  it("exits with 9 where the server says that the state forbids it", async () => {
    const conflict = always(refusal(409, "not_waiting_approval", "deploy does not wait for approval"));
    const server = await playApi({ ...shown({ tasks: { deploy: waits } }), [`POST /runs/${id}/tasks/deploy/approve`]: conflict });
    expect(await ostler(["approve", `${id}/deploy`], { url: server.url })).toEqual({
      code: 9,
      stdout: "",
      stderr: "ostler: deploy does not wait for approval\n",
    });
  });
});

describe("ostler restart", () => {
  it("shows the plan without creating anything", async () => {
    const json = { recreate: [{ task: "test", why: "it was failed" }], keep: [{ task: "build", from: "r1" }] };
    const server = await playApi({ ...shown(), [`POST /runs/${id}/restart`]: always({ json }) });
    const planned = await ostler(["restart", id, "--from-failed", "--plan"], { url: server.url });
    expect(planned).toEqual({ code: 0, stdout: "TASK   DO    WHY\ntest   run   it was failed\nbuild  keep  from run r1\n", stderr: "" });
    expect(posts(server)).toEqual([`/api/v1/runs/${id}/restart?plan=true`]);
  });

  it("replaces the environment only where it is told to", async () => {
    const server = await playApi({ ...shown(), [`POST /runs/${id}/restart`]: always({ status: 201, json: runView({ number: 13 }) }) });
    await ostler(["restart", id], { url: server.url });
    await ostler(["restart", id, "-e", "A=1"], { url: server.url });
    const cleared = await ostler(["restart", id, "--clear-env"], { url: server.url });
    const bodies = server.requests.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(body.toString()));
    expect(bodies).toEqual([{ fromFailed: false }, { fromFailed: false, environment: { A: "1" } }, { fromFailed: false, environment: {} }]);
    expect(cleared.stdout).toBe(`created /project/web#13  ${id}\n`);
  });
});

describe("ostler why", () => {
  const tasks = {
    build: taskView({ waitingReason: { type: "no_executor", message: "no executor has the label size=big", unmet: [] } }),
    test: taskView({
      waitingReason: { type: "dependency", message: "waits for build", tasks: ["build"] },
      depends: { build: ["on_success"] },
      level: 1,
    }),
    notify: taskView({ status: "skipped", skipReason: { type: "condition", message: "test ended as failed", task: "test" }, level: 2 }),
  };

  it("follows a task's reason down to its cause", async () => {
    const server = await playApi(shown({ tasks }));
    const said = await ostler(["why", `${id}/notify`], { url: server.url });
    expect(said.stdout).toBe(
      "notify: skipped: test ended as failed\ntest: waiting: waits for build\nbuild: waiting: no executor has the label size=big\n",
    );
  });

  it("tells of a whole run what keeps it", async () => {
    const server = await playApi(shown({ tasks }));
    const said = await ostler(["why", id], { url: server.url, now: () => Date.parse("2026-01-01T00:01:00Z") });
    expect(said.stdout).toBe(
      [
        "/project/web#12: running for 1m00s",
        "  waiting: build: no executor has the label size=big",
        "  skipped: notify: test ended as failed",
        "  waiting for other tasks: 1",
        "",
      ].join("\n"),
    );
  });

  it("tells of a retried task how its earlier attempts ended", async () => {
    const attempts = [attemptView({ phase: "failed", reason: "oom", exitCode: 137 }), attemptView({ number: 2 })];
    const server = await playApi(shown({ tasks: { build: taskView({ status: "running", attempt: 2, attempts }) } }));
    const said = await ostler(["why", `${id}/build`], { url: server.url });
    expect(said.stdout).toBe("build: running: attempt 2 (on executor-1)\n  attempt 1 ended: ran out of memory (on executor-1)\n");
  });
});

describe("lists", () => {
  it("of runs go page by page up to the limit, and say that there are more", async () => {
    const run = { ...runView(), taskCounts: { success: 2, running: 1 } };
    const page = (nextCursor: string | null) => ({ json: { runs: [run], nextCursor } });
    const server = await playApi({ "GET /runs": { answer: (_, count) => page(count < 3 ? String(count) : null) } });
    const listed = await ostler(["runs", "list", "--limit", "2", "--group", "/project/web", "-r", "--phase", "running", "queued"], {
      url: server.url,
    });
    const [titles, first] = listed.stdout.split("\n");
    expect(titles).toMatch(/^RUN +STATE +NAME +CREATED +TOOK +ID +TASKS$/);
    expect(first).toMatch(/^\/project\/web\/branch\/main#12 {2}running {2}build {2}2026-01-01T00:00:00\.000Z .* {2}2 success, 1 running$/);
    expect(listed.stderr).toBe("there are more; see them with --limit 8\n");
    expect(server.requests[0]?.target).toBe("/api/v1/runs?group=%2Fproject%2Fweb&limit=2&recursive=true&phase=running&phase=queued");
    expect(server.requests[1]?.target).toContain("cursor=1&limit=1");
  });

  it("are not cut on a terminal that does not know its width", async () => {
    const run = { ...runView(), taskCounts: {} };
    const server = await playApi({ "GET /runs": always({ json: { runs: [run], nextCursor: null } }) });
    const listed = await ostler(["runs", "list"], { url: server.url, terminal: { columns: 0, rows: 0 } });
    expect(listed.stdout).toContain(run.id);
  });

  it("give the API's own shapes to programs", async () => {
    const pools = [
      { id: "default", executors: ["a"], taskLimit: 2, liveAssignments: 1, freeSlots: 1, waiting: 3, oldestWaitSeconds: 61.4, backlog: [] },
    ];
    const server = await playApi({ "GET /pools": always({ json: { pools, nextCursor: null } }) });
    expect(JSON.parse((await ostler(["pools", "list", "-o", "json"], { url: server.url })).stdout)).toEqual(pools);
    expect((await ostler(["pools", "list"], { url: server.url, env: { OSTLER_OUTPUT_FORMAT: "name" } })).stdout).toBe("default\n");
    expect((await ostler(["pools", "ls"], { url: server.url })).stdout).toBe(
      "POOL     WAITING  OLDEST  RUNNING  FREE  EXECUTORS\ndefault  3        1m01s   1/2      1     a\n",
    );
  });

  it("say that there is nothing, and print nothing", async () => {
    const server = await playApi({ "GET /runs": always({ json: { runs: [], nextCursor: null } }) });
    expect(await ostler(["runs", "list"], { url: server.url })).toEqual({ code: 0, stdout: "", stderr: "no runs\n" });
  });
});

describe("the command line", () => {
  it("says where it looked for a server that is not there, and exits with 10", async () => {
    const server = await playApi({});
    await server.close();
    const refused = await ostler(["runs", "list"], { url: server.url });
    expect(refused).toMatchObject({ code: 10, stdout: "" });
    expect(refused.stderr).toBe(
      `ostler: cannot reach ${server.url}: connection refused\n  is the server running? start one with \`ostler serve\`, or name another with --url or OSTLER_URL\n`,
    );
  });

  it.each([
    [["rnus"], "unknown command 'rnus'"],
    [["runs", "list", "--limit", "0"], "expected a number from 1 on"],
    [["runs", "list", "-o", "xml"], "'xml' is invalid. Allowed choices are table, json, yaml, name"],
    [["runs", "list", "--since", "yesterday"], "--since yesterday: expected how long ago"],
    [["watch", "web"], '"web" names no run'],
    [["-o", "json", "serve", "--port", "1"], "`serve` comes first"],
    [["--url", "ftp://x", "pools", "list"], "ftp://x"],
  ])("refuses %j as wrong usage", async (argv, message) => {
    const refused = await ostler(argv);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain(message);
  });

  it("names every wrong setting at once", async () => {
    const refused = await ostler(["pools", "list"], { url: "nowhere", env: { OSTLER_TOKNE: "t0ken" } });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("OSTLER_URL");
    expect(refused.stderr).toContain("OSTLER_TOKEN");
  });

  it("explains a command by `help` as by --help, without a server", async () => {
    const byHelp = await ostler(["help", "runs", "delete"]);
    expect(byHelp).toEqual(await ostler(["runs", "delete", "--help"]));
    expect(byHelp).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: ostler runs delete|rm [options] <run...>") });
  });

  it("shows an expired token's refusal with what to do, and exits with 8", async () => {
    const server = await playApi({ "GET /pools": always(refusal(401, "unauthorized", "this token is not valid")) });
    const refused = await ostler(["pools", "list"], { url: server.url, env: { OSTLER_TOKEN: "old" } });
    expect(refused).toMatchObject({ code: 8, stderr: expect.stringContaining("set OSTLER_TOKEN") });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer old");
  });
});
