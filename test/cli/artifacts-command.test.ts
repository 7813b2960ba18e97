import { describe, expect, it } from "vitest";
import { runView, taskView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, playApi } from "./played-api.ts";

const id = "01m857b4n100007d1txgwqxmem";
const artifacts = [{ task: "build", name: "report", sizeBytes: 9, createdAt: "2026-01-01T00:00:00.000Z" }];

function playArtifact(body: string) {
  return playApi({
    [`GET /runs/${id}`]: always({
      json: runView({ phase: "finished", result: "success", tasks: { build: taskView({ status: "success" }) } }),
    }),
    [`GET /runs/${id}/artifacts`]: always({ json: { artifacts, nextCursor: null } }),
    [`GET /runs/${id}/artifacts/build/report`]: always({ headers: { "content-type": "application/x-tar" }, body }),
  });
}

describe("ostler artifacts get", () => {
  it("writes the archive to stdout as it is", async () => {
    const server = await playArtifact("tar bytes");
    expect(await ostler(["artifacts", "get", `${id}/build`, "--tar", "-"], { url: server.url })).toMatchObject({
      code: 0,
      stdout: "tar bytes",
    });
  });

  it("says which file it cannot write, without a stack", async () => {
    const server = await playArtifact("tar bytes");
    expect(await ostler(["artifacts", "get", `${id}/build`, "--tar", "/dev/null/report.tar"], { url: server.url })).toEqual({
      code: 1,
      stdout: "",
      stderr: "ostler: ENOTDIR: not a directory, open '/dev/null/report.tar'\n",
    });
  });
});
