import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { layout } from "../../src/ost/layout.ts";
import { putLog } from "../../src/ost/log-writer.ts";
import { openStore } from "../../src/ost/open.ts";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";
import { type Message, messagesOf } from "./sse.ts";

let api: TestApi;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostler-logs-"));
  api = await startTestApi({ OSTLER_EXECUTOR_TASK_LIMIT: "8" });
  await api.schedule();
  await api.execute();
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

type Step = { readonly run: string } | Record<string, unknown>;

async function create(...steps: readonly Step[]): Promise<string> {
  const response = await api.post("/api/v1/runs", definition({ tasks: { test: { image: "none", steps } } }));
  return (await runOf(response)).id;
}

const get = async (runId: string) => runOf(await api.request(`/api/v1/runs/${runId}`));
const ended = (runId: string) => until("the run ends", async () => (await get(runId)).phase === "finished");
const logs = (runId: string, query = "", init: RequestInit = {}) => api.request(`/api/v1/runs/${runId}/tasks/test/logs${query}`, init);
const textOf = async (runId: string, query = "") => (await logs(runId, query)).text();
const toEnd = (response: Response) => messagesOf(response, (messages) => messages.at(-1)?.event === "end");

const Chunk = z.object({ offset: z.number(), text: z.string() });
const chunks = (messages: readonly Message[]) => messages.filter(({ event }) => event === "chunk").map(({ data }) => Chunk.parse(data));
const joined = (messages: readonly Message[]) =>
  chunks(messages)
    .map(({ text }) => text)
    .join("");

/** A step that goes on when the test says so. */
async function gated(before: string, after: string) {
  const gate = join(folder, `gate-${Math.random().toString(36).slice(2)}`);
  const run = `echo ${before}; while [ ! -e ${gate} ]; do sleep 0.02; done; echo ${after}`;
  return { step: { run }, open: () => writeFile(gate, "") };
}

describe("a log as text", () => {
  let runId: string;
  beforeAll(async () => {
    runId = await create({ run: "echo one; echo two; echo drei-äöü" }, { name: "second step", run: "echo last" });
    await ended(runId);
  });

  it("of a step is what the step wrote", async () => {
    const response = await logs(runId, "?step=0");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("one\ntwo\ndrei-äöü\n");
    expect(await textOf(runId, "?step=1")).toBe("last\n");
  });

  it("of a task is setup and all steps, each under its name", async () => {
    const text = await textOf(runId);
    expect(text).toMatch(/^=== setup ===\n(?:.*\n)*=== step 0: run ===\none\ntwo\ndrei-äöü\n\n=== step 1: second step ===\nlast\n$/);
  });

  it("begins at an offset of bytes, or with the last lines", async () => {
    expect(await textOf(runId, "?step=0&offset=4")).toBe("two\ndrei-äöü\n");
    expect(await textOf(runId, "?step=0&tail=2")).toBe("two\ndrei-äöü\n");
    expect(await textOf(runId, "?tail=1")).toBe("last\n");
    expect(await textOf(runId, "?tail=3")).toBe("\n=== step 1: second step ===\nlast\n");
  });

  it("has the lines that match, and their times, if asked to", async () => {
    expect(await textOf(runId, "?step=0&grep=^(one|drei)")).toBe("one\ndrei-äöü\n");
    expect(await textOf(runId, "?step=0&grep=two&timestamps=true")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z two\n$/);
  });

  it("gives exactly the bytes of a Range", async () => {
    const part = async (range: string) => {
      const response = await logs(runId, "?step=0", { headers: { range } });
      return [response.status, response.headers.get("content-range"), await response.text()];
    };
    expect(await part("bytes=4-6")).toEqual([206, "bytes 4-6/20", "two"]);
    expect(await part("bytes=16-")).toEqual([206, "bytes 16-19/20", "\ufffdü\n"]);
    expect(await part("bytes=-3")).toEqual([206, "bytes 17-19/20", "ü\n"]);
    expect(await part("lines=1-2")).toEqual([200, null, await textOf(runId, "?step=0")]);
    const beyond = await logs(runId, "?step=0", { headers: { range: "bytes=20-" } });
    expect([beyond.status, beyond.headers.get("content-range"), await beyond.json()]).toMatchObject([
      416,
      "bytes */20",
      { code: "range_not_satisfiable" },
    ]);
  });

  it.each([
    ["/api/v1/runs/RUN/tasks/nothing/logs", "task_not_found"],
    ["/api/v1/runs/RUN/tasks/constructor/logs", "task_not_found"],
    ["/api/v1/runs/RUN/tasks/test/logs?step=2", "step_not_found"],
    ["/api/v1/runs/RUN/tasks/test/logs?service=1", "step_not_found"],
    ["/api/v1/runs/RUN/tasks/test/logs?attempt=2", "attempt_not_found"],
  ])("that cannot be is a 404 of its own: %s is %s", async (path, code) => {
    const response = await api.request(path.replace("RUN", runId));
    expect([response.status, await response.json()]).toMatchObject([404, { code }]);
  });

  it.each([
    "step=-1",
    "step=x",
    "attempt=0",
    "tail=0",
    "grep=(",
    "setup=true&step=1",
    "offset=-1",
    "follow=yes",
  ])("refuses ?%s", async (query) => {
    expect((await logs(runId, `?${query}`)).status).toBe(400);
  });
});

describe("following a log", () => {
  it("tells what is there, then what comes, and the end with its size", async () => {
    const { step, open } = await gated("before", "after");
    const runId = await create(step);
    await until("the step has written", async () => (await textOf(runId, "?step=0")) === "before\n");
    const following = await logs(runId, "?step=0&follow=true");
    await open();
    const messages = await toEnd(following);
    expect(joined(messages)).toBe("before\nafter\n");
    expect(messages.at(-1)).toMatchObject({
      event: "end",
      data: { size: 13, complete: true, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(messages.filter(({ event }) => event === "chunk").at(-1)?.id).toBe("13");
  });

  it("resumes at the offset that the client has", async () => {
    const runId = await create({ run: "echo one; echo two" });
    await ended(runId);
    const messages = await toEnd(await logs(runId, "?step=0&follow=true", { headers: { "last-event-id": "4" } }));
    expect(chunks(messages)).toEqual([{ offset: 4, text: "two\n" }]);
  });

  it("waits for a task that has not begun, and follows it through all its steps", async () => {
    const { step, open } = await gated("first", "still first");
    const runId = await create(step, { run: "echo second" });
    const following = logs(runId, "?follow=true");
    await open();
    const messages = await toEnd(await following);
    const text = joined(messages);
    expect(text).toContain("=== step 0: run ===\nfirst\nstill first\n");
    expect(text).toMatch(/=== step 1: run ===\nsecond\n$/);
    expect(text).toBe(await textOf(runId));
    // A client that lost the connection in the middle gets exactly the rest.
    const middle = messages.filter(({ event }) => event === "chunk").at(2);
    const rest = await toEnd(await logs(runId, "?follow=true", { headers: { "last-event-id": middle?.id ?? "" } }));
    expect(joined(messages.slice(0, messages.indexOf(middle ?? messages[0] ?? { event: "", id: "", data: "" }) + 1)) + joined(rest)).toBe(
      text,
    );
  });

  it("of a task that never ran ends at once", async () => {
    const tasks = { test: { image: "none", skip: true, steps: [{ run: "echo no" }] } };
    const runId = (await runOf(await api.post("/api/v1/runs", definition({ tasks })))).id;
    await ended(runId);
    expect(joined(await toEnd(await logs(runId, "?step=0&follow=true")))).toBe("");
    expect(await textOf(runId, "?step=0")).toBe("");
  });
});

describe("deleting logs", () => {
  it("is refused while the run goes on", async () => {
    const { step, open } = await gated("a", "b");
    const runId = await create(step);
    expect((await logs(runId, "", { method: "DELETE" })).status).toBe(409);
    await open();
    await ended(runId);
  });

  it("leaves a 404 that says so, before and after archiving", async () => {
    const runId = await create({ run: "echo secret" });
    await ended(runId);
    expect((await logs(runId, "", { method: "DELETE" })).status).toBe(204);
    await until("the log is deleted", async () => (await logs(runId, "?step=0")).status === 404);
    expect(await (await logs(runId, "?step=0")).json()).toMatchObject({ code: "log_deleted" });
    await until("the run is archived", async () => (await get(runId)).archived, 20_000);
    expect((await logs(runId, "", { method: "DELETE" })).status).toBe(204);
    expect(await (await logs(runId, "?step=0")).json()).toMatchObject({ code: "log_deleted" });
    expect((await get(runId)).tasks["test"]?.attempts[0]?.steps[0]?.log.deleted).toBe(true);
  }, 60_000);
});

describe("a log that has lost bytes in the middle", () => {
  it("gives as many bytes of a range as it promises, zeros for those that are lost", async () => {
    const runId = await create({ run: "echo whole" });
    await ended(runId);
    const store = await openStore(api.config.ostUrl);
    const key = layout.log({ runId, task: "test", attempt: 1, step: "0" });
    await until("the log is stored", async () => (await store.stat(key)) !== undefined);
    const text = (offset: number, bytes: string) => ({ type: "bytes", offset, at: 1, bytes: Buffer.from(bytes) }) as const;
    const chunks = [text(0, "begin"), { type: "gap", from: 5, to: 9, why: "executor_lost" }, text(9, "end")] as const;
    await putLog(store, key, { assignment: "a-0-1-s", chunks }, { onlyIfAbsent: false });
    const response = await logs(runId, "?step=0", { headers: { range: "bytes=3-10" } });
    expect(response.headers.get("content-length")).toBe("8");
    expect(await response.text()).toBe("in\0\0\0\0en");
    expect(await textOf(runId, "?step=0")).toBe("begin\n[4 bytes are lost: executor_lost]\nend");
  });
});

describe("artifacts", () => {
  it("are listed by task and name, and fetched as tar", async () => {
    const runId = await create(
      { run: "mkdir report && echo hello > report/a.txt" },
      { type: "save_artifact", name: "my report", paths: ["report/**"] },
    );
    await ended(runId);
    const run = await get(runId);
    expect(run.result, JSON.stringify(run.tasks["test"]?.attempts)).toBe("success");
    const list: unknown = await (await api.request(`/api/v1/runs/${runId}/artifacts`)).json();
    expect(list).toMatchObject({ artifacts: [{ task: "test", name: "my report", attempt: 1, runId }], nextCursor: null });
    const response = await api.request(`/api/v1/runs/${runId}/artifacts/test/my%20report`);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="my report.tar"');
    expect(response.headers.get("content-type")).toBe("application/x-tar");
    const tar = Buffer.from(await response.arrayBuffer()).toString("latin1");
    expect(tar).toContain("report/a.txt");
    expect(tar).toContain("hello\n");
    expect(await (await api.request(`/api/v1/runs/${runId}/artifacts/test/other`)).json()).toMatchObject({ code: "artifact_not_found" });
  });
});
