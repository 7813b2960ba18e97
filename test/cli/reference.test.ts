import { describe, expect, it } from "vitest";
import { parseReference, parseRunReference } from "../../src/cli/reference.ts";

describe("a reference", () => {
  it.each([
    ["01m857b4n100007d1txgwqxmem", { type: "id", id: "01m857b4n100007d1txgwqxmem" }],
    ["01M857B4N100007D1TXGWQXMEM", { type: "id", id: "01m857b4n100007d1txgwqxmem" }],
    ["01m857", { type: "prefix", prefix: "01m857" }],
    ["/project/web/branch/main#12", { type: "number", group: "/project/web/branch/main", number: 12 }],
    ["web#12", { type: "number", group: "web", number: 12 }],
    ["@last", { type: "last", failed: false }],
    ["@last-failed", { type: "last", failed: true }],
  ])("%s names a run", (text, run) => {
    expect(parseReference(text)).toEqual({ run, task: undefined, step: undefined });
  });

  it.each([
    ["/project/web#12/unit tests/0", "unit tests", "0"],
    ["web#12/build", "build", undefined],
    ["@last/build/setup", "build", "setup"],
    ["01m857/deploy (eu)", "deploy (eu)", undefined],
  ])("%s names a task, whatever slashes its group has", (text, task, step) => {
    expect(parseReference(text)).toMatchObject({ task, step });
  });

  it.each([
    "",
    "web",
    "web#",
    "web#0",
    "web#x",
    "#12",
    "web/#12",
    "@first",
    "@last/",
    "web#1/a/b/c",
    "01m857b4n100007d1txgwqxmemm",
  ])("%j is refused as wrong usage", (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it("to a run as a whole must not name a task", () => {
    expect(() => parseRunReference("web#12/build")).toThrow(expect.objectContaining({ exitCode: 2, hints: ["try: web#12"] }));
  });
});
