import { describe, expect, it } from "vitest";
import { ostler } from "./command.ts";
import { always, playApi } from "./played-api.ts";

const good = { check: "redis.version", state: "ok", message: "Redis 7.0.15", advice: null };
const odd = { check: "redis.memory", state: "warning", message: "maxmemory is not set", advice: "set maxmemory" };
const bad = { check: "shards", state: "failed", message: "2 of 2 shards have no scheduler", advice: "start a scheduler" };

async function doctor(checks: readonly (typeof good | typeof odd)[], state: string, ...flags: readonly string[]) {
  const { url } = await playApi({ "GET /doctor": always({ json: { state, checks } }) });
  return ostler([...flags, "admin", "doctor"], { url });
}

describe("ostler admin doctor", () => {
  it("prints what was found, with what to do, and a summary aside", async () => {
    const { code, stdout, stderr } = await doctor([good, odd, bad], "failed");
    expect(stdout).toBe(
      [
        "ok       redis.version  Redis 7.0.15",
        "warning  redis.memory   maxmemory is not set",
        "                        -> set maxmemory",
        "failed   shards         2 of 2 shards have no scheduler",
        "                        -> start a scheduler",
        "",
      ].join("\n"),
    );
    expect(stderr).toBe("3 checks: 1 ok, 1 warning, 1 failed\n");
    expect(code).toBe(1);
  });

  it("is content with warnings, and prints the API's data for programs", async () => {
    const { code, stdout } = await doctor([good, odd], "warning", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ state: "warning", checks: [good, odd] });
  });
});
