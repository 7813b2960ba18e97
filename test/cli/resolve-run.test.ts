import { expect, it } from "vitest";
import { parseRunReference } from "../../src/cli/reference.ts";
import { resolveRun } from "../../src/cli/resolve-run.ts";
import { timesOfPrefix } from "../../src/cli/run-id-prefix.ts";
import { createClient } from "../../src/client/client.ts";
import { createRunIds } from "../../src/ids.ts";
import { type PlayedRequest, playServer } from "../support/played-server.ts";
import { runView } from "../support/run-views.ts";

const ids = ["01m857b4n100007d1txgwqxmem", "01m857b4n20000aaaaaaaaaaaa", "01m857zzzz0000aaaaaaaaaaaa"] as const;
const runs = ids.map((id, i) =>
  runView({ id, number: 12, group: ["/project/web/branch/main", "/project/webshop", "/other/web"][i] ?? "" }),
);

/** Lists all runs in pages of one, whatever is asked for, as an index would that has more than a page of them. */
function list({ target }: PlayedRequest) {
  const cursor = Number(new URL(target, "http://x").searchParams.get("cursor") ?? 0);
  return { json: { runs: runs.slice(cursor, cursor + 1), nextCursor: cursor + 1 < runs.length ? String(cursor + 1) : null } };
}

async function resolve(text: string, play: Parameters<typeof playServer>[0] = list) {
  const server = await playServer(play);
  const { runs: finder } = createClient({ url: server.url });
  const id = resolveRun(parseRunReference(text), finder, new AbortController().signal);
  return { id, server };
}

it("finds a run by the beginning of its id, on whichever page it is", async () => {
  expect(await (await resolve("01m857z")).id).toBe(ids[2]);
});

it("names the candidates of a beginning that several runs share", async () => {
  const { id } = await resolve("01m857b");
  await expect(id).rejects.toMatchObject({
    message: "01m857b may mean several runs",
    hints: [expect.stringContaining(ids[0]), expect.stringContaining(ids[1])],
  });
});

it("looks for a beginning only among runs of the time that it tells", async () => {
  const timeMs = Date.parse("2026-11-23T22:10:07.137Z");
  const id = createRunIds()({ timeMs, shard: 3 });
  for (const length of [4, 8, 12]) {
    const { since, until } = timesOfPrefix(id.slice(0, length));
    expect(Date.parse(since)).toBeLessThan(timeMs);
    expect(Date.parse(until)).toBeGreaterThan(timeMs);
  }
  const { since, until } = timesOfPrefix(id.slice(0, 8));
  expect(Date.parse(until) - Date.parse(since)).toBeLessThan(3 * 60_000);
});

it("takes a short group for a whole segment, not for a part of one", async () => {
  const { id } = await resolve("webshop#12");
  expect(await id).toBe(ids[1]);
});

it("does not guess between two groups of that name", async () => {
  const { id } = await resolve("web#12");
  await expect(id).rejects.toMatchObject({
    hints: ["/project/web#12  01m857b4n100007d1txgwqxmem", "/other/web#12  01m857zzzz0000aaaaaaaaaaaa"],
  });
});

it("asks for a whole group by its number", async () => {
  const { id, server } = await resolve("/project/web#12", () => ({ json: runs[0] }));
  expect(await id).toBe(ids[0]);
  expect(server.requests[0]?.target).toBe("/api/v1/groups/%2Fproject%2Fweb/runs/12");
});

it("asks for the last failed run by its result", async () => {
  const { id, server } = await resolve("@last-failed", () => ({ json: { runs: [], nextCursor: null } }));
  await expect(id).rejects.toMatchObject({ message: "no run has failed", exitCode: 7 });
  expect(server.requests[0]?.target).toBe("/api/v1/runs?limit=1&result=failed");
});
