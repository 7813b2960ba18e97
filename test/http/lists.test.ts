import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunList } from "../../src/http/shapes.ts";
import { definition, idsIn, runOf, startTestApi, type TestApi } from "./api.ts";

let api: TestApi;
let other: { readonly url: string };
beforeAll(async () => {
  api = await startTestApi();
  await api.schedule();
  other = await api.listen();
});
afterAll(() => api.close());

const create = async (fields: Record<string, unknown> = {}) => {
  const response = await api.post("/api/v1/runs", definition({ tasks: {}, ...fields }));
  return { event: response.headers.get("ostler-event") ?? "", run: await runOf(response) };
};

async function list(query: string) {
  const response = await api.request(`/api/v1/runs?${query}`);
  return RunList.parse(await response.json());
}

describe("a list of runs", () => {
  it("has a run as soon as its create call has returned", async () => {
    const { run } = await create();
    expect(await idsIn(await api.request("/api/v1/runs?limit=1"))).toEqual([run.id]);
  });

  it("has it in every process for a request that carries the event of the answer", async () => {
    for (let i = 0; i < 20; i++) {
      const { run, event } = await create();
      const response = await fetch(`${other.url}/api/v1/runs?limit=1`, { headers: { "ostler-event": event } });
      expect(await idsIn(response)).toEqual([run.id]);
    }
  });

  it("shows how runs went on", async () => {
    const { run } = await create({ name: "goes-on" });
    await expect.poll(async () => (await list("name=goes-on")).runs[0]).toMatchObject({ id: run.id, phase: "finished", result: "success" });
    expect((await list("name=goes-on&phase=finished&result=success")).runs).toHaveLength(1);
    expect((await list("name=goes-on&phase=running&phase=queued")).runs).toEqual([]);
  });

  it("pages through what was there, each run once, while runs are being created", async () => {
    const group = "/paging/web";
    const made = [];
    for (let i = 0; i < 12; i++) made.push((await create({ group })).run.id);
    const seen = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await list(`group=${group}&limit=5${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.runs.map(({ id }) => id));
      cursor = page.nextCursor;
      await create({ group });
    }
    expect(seen).toEqual(made.reverse());
  });

  it("filters by annotation, and by the time of creation in any offset", async () => {
    const { run } = await create({ annotations: { commit: "a:b", by: "ann" } });
    const at = encodeURIComponent(run.createdAt.replace("Z", "+00:00"));
    expect((await list(`annotation=commit:a:b&annotation=by:ann&since=${at}`)).runs.map(({ id }) => id)).toEqual([run.id]);
    expect((await list(`annotation=commit:a:b&until=${at}`)).runs).toEqual([]);
    expect((await list("annotation=commit:a")).runs).toEqual([]);
  });

  it("lists the newest of each group", async () => {
    await create({ group: "/last/a" });
    const [a, b] = [await create({ group: "/last/a" }), await create({ group: "/last/b" })];
    const { runs } = await list("group=/last&recursive=true&lastRun=true");
    expect(runs.map(({ id }) => id)).toEqual([b.run.id, a.run.id]);
  });

  it("forgets a deleted run at once", async () => {
    const { run } = await create({ name: "deleted" });
    await expect.poll(async () => (await list("name=deleted")).runs[0]?.phase).toBe("finished");
    const response = await api.request(`/api/v1/runs/${run.id}`, { method: "DELETE" });
    expect(response.status).toBe(204);
    expect((await list("name=deleted")).runs).toEqual([]);
    const elsewhere = await fetch(`${other.url}/api/v1/runs?name=deleted`, {
      headers: { "ostler-event": response.headers.get("ostler-event") ?? "" },
    });
    expect(await idsIn(elsewhere)).toEqual([]);
    expect((await api.request(`/api/v1/runs/${run.id}`)).status).toBe(404);
  });
});

describe("a list of groups", () => {
  it("has the groups right below one, with the newest run at or below each", async () => {
    await create({ group: "/groups/web/branch/main" });
    const { run } = await create({ group: "/groups/web/tag/v1" });
    const groups = async (parent: string) => (await api.request(`/api/v1/groups?parent=${parent}`)).json();
    expect(await groups("/groups")).toMatchObject({ groups: [{ path: "/groups/web", lastRun: { id: run.id } }], nextCursor: null });
    expect(await groups("/groups/web/")).toMatchObject({ groups: [{ path: "/groups/web/branch" }, { path: "/groups/web/tag" }] });
    expect(await groups("/groups/none")).toMatchObject({ groups: [] });
  });
});
