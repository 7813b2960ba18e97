import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseRunId } from "../../src/ids.ts";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { ostler } from "../cli/command.ts";
import { until } from "../support/until.ts";
import { definition, runOf, startTestApi, type TestApi } from "./api.ts";

const keys = createKeys("{ostler}");
let api: TestApi;
let redis: RedisConnection;
beforeAll(async () => {
  api = await startTestApi();
  await api.schedule();
  redis = createRedis(api.redis.url, "commands");
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
});

const List = z.object({
  deadLetters: z.array(z.object({ id: z.string(), reason: z.string(), actors: z.array(z.string()), message: z.string() })),
  nextCursor: z.string().nullable(),
});
const list = async (query = "") => List.parse(await (await api.request(`/api/v1/dead-letters${query}`)).json());
const letters = async () => (await list("?limit=500")).deadLetters;
const found = async (text: string) => {
  await until("it is put aside", async () => (await letters()).some(({ message }) => message.includes(text)));
  return (await letters()).filter(({ message }) => message.includes(text));
};
const mail = (shard: number, text: string) => redis.xadd(keys.inbox(shard), "*", "m", text);
const drop = async (id: string) => (await api.request(`/api/v1/dead-letters/${id}`, { method: "DELETE" })).status;

describe("a message that was put aside", () => {
  it("is shown with what went wrong, can be sent again, and comes back if it fails again", async () => {
    await mail(1, JSON.stringify([["pool/default", { type: "nonsense-1" }]]));
    const [letter] = await found("nonsense-1");
    expect(letter).toMatchObject({ actors: ["pool/default"], reason: expect.stringContaining("type") });
    const id = letter?.id ?? "";
    expect((await api.post(`/api/v1/dead-letters/${id}/replay`)).status).toBe(204);
    await until("it is put aside again", async () =>
      (await letters()).some((other) => other.message.includes("nonsense-1") && other.id !== id),
    );
    expect((await letters()).filter(({ message }) => message.includes("nonsense-1"))).toHaveLength(1);
  });

  it("does its work when it is sent again and can be decided", async () => {
    const { id: runId } = await runOf(await api.post("/api/v1/runs", definition({ tasks: { a: { image: "x", pool: "nobody" } } })));
    const phase = async () => (await runOf(await api.request(`/api/v1/runs/${runId}`))).phase;
    await until("the run is running", async () => (await phase()) === "running");
    const shard = parseRunId(runId)?.shard ?? 0;
    const text = JSON.stringify([[`run/${runId}`, { type: "stop", by: "somebody", force: false }, "api-long-gone", "1"]]);
    const entry = await redis.xadd(keys.dead(shard), "*", "m", text, "reason", "a fault of before");
    expect((await api.post(`/api/v1/dead-letters/${shard}.${entry}/replay`)).status).toBe(204);
    await until("the run is stopped", async () => (await phase()) === "finished");
    expect(await redis.xlen(keys.dead(shard))).toBe((await letters()).filter(({ id }) => id.startsWith(`${shard}.`)).length);
    expect((await api.post(`/api/v1/dead-letters/${shard}.${entry}/replay`)).status).toBe(404);
  });

  it("is not sent again if it does not parse: it can only be dropped", async () => {
    await mail(0, "rubbish-2");
    const [letter] = await found("rubbish-2");
    expect(letter).toMatchObject({ actors: [], reason: "does not parse" });
    const refused = await api.post(`/api/v1/dead-letters/${letter?.id}/replay`);
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: "conflict", message: expect.stringContaining("drop it") }]);
    expect([await drop(letter?.id ?? ""), await drop(letter?.id ?? "")]).toEqual([204, 404]);
    expect((await letters()).some(({ message }) => message.includes("rubbish-2"))).toBe(false);
  });

  it("is listed in pages, shard after shard", async () => {
    for (const shard of [0, 1, 0]) await redis.xadd(keys.dead(shard), "*", "m", "[]", "reason", "paged");
    const all = (await letters()).map(({ id }) => id);
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await list(`?limit=2${cursor && `&cursor=${cursor}`}`);
      paged.push(...page.deadLetters.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
  });

  it("is unknown by an id that Redis could not have given, not an internal error", async () => {
    const path = "/api/v1/dead-letters/0.1-18446744073709551616";
    const answers = [await api.request(path), await api.post(`${path}/replay`), await api.request(path, { method: "DELETE" })];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it("is looked at, sent again and dropped by the command line", async () => {
    await mail(1, JSON.stringify([["pool/default", { type: "nonsense-3" }]]));
    const [letter] = await found("nonsense-3");
    const { url, close } = await api.listen();
    const admin = (...words: readonly string[]) => ostler(["admin", "dead-letters", ...words], { url });
    expect((await admin("list")).stdout).toMatch(new RegExp(`^${letter?.id} .*pool/default`, "m"));
    expect((await admin("get", letter?.id ?? "")).stdout).toContain("nonsense-3");
    expect(await admin("replay", letter?.id ?? "")).toMatchObject({ code: 0, stderr: `${letter?.id} was sent again\n` });
    await until("it is put aside again", async () => (await found("nonsense-3"))[0]?.id !== letter?.id);
    const [again] = await found("nonsense-3");
    expect((await admin("drop", again?.id ?? "")).code).toBe(0);
    expect(await admin("drop", again?.id ?? "")).toMatchObject({ code: 7, stderr: expect.stringContaining("there is no dead letter") });
    await close();
  });
});
