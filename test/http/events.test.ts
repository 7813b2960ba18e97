import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";
import { type Message, messagesOf } from "./sse.ts";

const Page = z.object({ events: z.array(z.looseObject({ runId: z.string(), seq: z.number() })), nextCursor: z.string().nullable() });

let api: TestApi;
let redis: RedisConnection;
const keys = createKeys("{ostler}");
beforeAll(async () => {
  api = await startTestApi();
  await api.schedule();
  redis = createRedis(api.redis.url, "commands");
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
});

/** A run without tasks, which ends as soon as a scheduler has seen it. */
const createEmpty = async () => (await runOf(await api.post("/api/v1/runs", definition({ tasks: {} })))).id;
const follow = (path: string, headers: Record<string, string> = {}) => api.request(`/api/v1${path}`, { headers });
const toEnd = (response: Response) => messagesOf(response, (messages) => messages.at(-1)?.event === "end");
const phases = (messages: readonly Message[]) => messages.filter(({ event }) => event !== "end").map(({ data }) => data);
const page = async (path: string) => {
  const response = await api.request(`/api/v1${path}`, { headers: { accept: "application/json" } });
  return Page.parse(await response.json());
};
const asJson = { headers: { accept: "application/json" } };
const pageStatus = async (request: TestApi["request"], after: string) => (await request(`/api/v1/events?after=${after}`, asJson)).status;
const isGone = async (runId: string) => (await redis.hexists(keys.run(runId), "archived")) === 1;

describe("a run's event stream", () => {
  it("tells every change of its phase and result once, and ends", async () => {
    const runId = await createEmpty();
    const messages = await toEnd(await follow(`/runs/${runId}/events`));
    expect(phases(messages)).toMatchObject([
      { phase: "queued", result: "unknown" },
      { phase: "running", result: "unknown" },
      { phase: "running", result: "success" },
      { phase: "finished", result: "success" },
    ]);
    expect(messages.map(({ id }) => id)).toEqual(["1", "2", "3", "4", "4"]);
    expect(messages.at(-1)?.event).toBe("end");
  });

  it("resumes after the event that the client has", async () => {
    const runId = await createEmpty();
    const all = await toEnd(await follow(`/runs/${runId}/events`));
    for (const after of ["0", "2", "4"]) {
      const rest = await toEnd(await follow(`/runs/${runId}/events`, { "last-event-id": after }));
      expect(rest.map(({ data }) => data)).toEqual(all.slice(Number(after)).map(({ data }) => data));
    }
  });

  it("is the same before, across and after archiving", async () => {
    const runId = await createEmpty();
    const live = await toEnd(await follow(`/runs/${runId}/events`));
    const livePage = await page(`/runs/${runId}/events`);
    await until("the run is archived", () => isGone(runId));
    expect(await toEnd(await follow(`/runs/${runId}/events`))).toEqual(live);
    expect((await toEnd(await follow(`/runs/${runId}/events`, { "last-event-id": "3" }))).map(({ id }) => id)).toEqual(["4", "4"]);
    expect(await page(`/runs/${runId}/events`)).toEqual(livePage);
  }, 60_000);

  it("waits for what a run that has not ended will do", async () => {
    const run = await runOf(await api.post("/api/v1/runs", definition()));
    const following = follow(`/runs/${run.id}/events`, { "last-event-id": "1" });
    const messages = messagesOf(await following, (seen) => seen.length > 0);
    expect((await messages)[0]?.data).toMatchObject({ phase: "running" });
  });

  it("comes in pages as JSON", async () => {
    const runId = await createEmpty();
    await toEnd(await follow(`/runs/${runId}/events`));
    const first = await page(`/runs/${runId}/events?limit=3`);
    const second = await page(`/runs/${runId}/events?limit=3&after=${first.nextCursor}`);
    expect([...first.events, ...second.events].map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(second.nextCursor).toBeNull();
  });

  it("has a next page for as long as the run is not over, also where nothing has happened since", async () => {
    const run = await runOf(await api.post("/api/v1/runs", definition()));
    expect(await page(`/runs/${run.id}/events?after=1000`)).toEqual({ events: [], nextCursor: "1000" });
  });

  it("is gone as soon as the run is deleted", async () => {
    const runId = await createEmpty();
    await toEnd(await follow(`/runs/${runId}/events`));
    expect((await api.request(`/api/v1/runs/${runId}`, { method: "DELETE" })).status).toBe(204);
    expect((await follow(`/runs/${runId}/events`)).status).toBe(404);
  });
});

describe("the installation's event stream", () => {
  it("goes on after the last event that the client has, in the middle of a commit too", async () => {
    const start = (await page("/events?limit=500")).nextCursor ?? "";
    const runId = await createEmpty();
    await toEnd(await follow(`/runs/${runId}/events`));
    const all = await messagesOf(await follow("/events", { "last-event-id": start }), (seen) => seen.length === 4);
    expect(all.map(({ data }) => data)).toMatchObject([1, 2, 3, 4].map((seq) => ({ runId, seq })));
    for (const [index, { id }] of all.slice(0, 3).entries()) {
      const rest = await messagesOf(await follow("/events", { "last-event-id": id }), (seen) => seen.length === 3 - index);
      expect(rest).toEqual(all.slice(index + 1));
    }
  });

  it("begins with now for a client that comes for the first time", async () => {
    const response = await follow("/events");
    const following = messagesOf(response, (seen) => seen.length > 0);
    const runId = await createEmpty();
    expect((await following)[0]?.data).toMatchObject({ runId, seq: 1 });
  });

  it("says at once where it begins, so that a client that is cut off before its first event misses nothing", async () => {
    const reader = (await follow("/events")).body?.getReader();
    let text = "";
    // The wait before coming back, and then the position.
    for (let i = 0; i < 2; i++) text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    const runId = await createEmpty();
    await toEnd(await follow(`/runs/${runId}/events`));
    const position = /^id: (\S+)$/m.exec(text)?.[1] ?? "";
    expect(position).not.toBe("");
    const ofRun = (seen: readonly Message[]) =>
      seen.flatMap(({ data }) => z.object({ runId: z.literal(runId), seq: z.number() }).safeParse(data).data?.seq ?? []);
    const missed = await messagesOf(await follow("/events", { "last-event-id": position }), (seen) => ofRun(seen).includes(4));
    expect(ofRun(missed)).toEqual([1, 2, 3, 4]);
  });

  it("is reset for a position of another history, and goes on from now", async () => {
    expect(await pageStatus(api.request, "otherhistory.1-1")).toBe(410);
    const [reset] = await messagesOf(await follow("/events", { "last-event-id": "otherhistory.1-1" }), (seen) => seen.length > 0);
    expect(reset).toMatchObject({ event: "reset", id: expect.stringMatching(/^[a-z0-9]+\.\d+-\d+$/) });
    const runId = await createEmpty();
    const isOfRun = ({ data }: Message) => z.object({ runId: z.literal(runId) }).safeParse(data).success;
    const later = await messagesOf(await follow("/events", { "last-event-id": reset?.id ?? "" }), (seen) => seen.some(isOfRun));
    expect(later.map(({ event }) => event)).not.toContain("reset");
  });

  it("is reset for a position behind which events were trimmed", async () => {
    const history = (await page("/events?limit=1")).nextCursor?.split(".")[0];
    await redis.xtrim(keys.events, "MAXLEN", "2");
    // A process that has just started holds nothing in memory that Redis has trimmed.
    const { url } = await api.listen();
    const request = (path: string, init?: RequestInit) => fetch(url + path, init);
    await until("the new process follows the stream", async () => (await request("/api/v1/events?limit=1", asJson)).status === 200);
    expect(await pageStatus(request, `${history}.1-1`)).toBe(410);
    const oldest = (await page("/events?limit=500")).nextCursor ?? "";
    expect(await pageStatus(request, oldest)).toBe(200);
    const response = await request("/api/v1/events", { headers: { "last-event-id": `${history}.1-1` } });
    expect((await messagesOf(response, (seen) => seen.length > 0))[0]?.event).toBe("reset");
  });

  it("refuses what is no position", async () => {
    for (const after of ["x", "1-1", "a.b", "h.1-1.x", "h.1-18446744073709551616"])
      expect((await follow(`/events?after=${after}`)).status).toBe(400);
  });
});
