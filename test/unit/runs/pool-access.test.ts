import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { findClosedPools } from "../../../src/runs/pool-access.ts";

const access = parseConfig({ env: { OSTLER_POOL_GROUPS: "gpu=/ml|/research/vision, default=/ml|/research" }, argv: [] }).poolGroups;
const closed = (group: string, pool: string | undefined) =>
  findClosedPools(parseDefinition({ name: "n", group, tasks: { a: { image: "x", ...(pool !== undefined && { pool }) } } }), access);

describe("a pool with groups", () => {
  it.each([
    ["/ml/train", "gpu"],
    ["/research/vision", "gpu"],
    ["/research/vision/x", "gpu"],
    ["/research/speech", "default"],
    ["/anybody/else", "open"],
    ["/ml/train", "constructor"],
  ])("is open to %s for %s", (group, pool) => {
    expect(closed(group, pool)).toEqual([]);
  });

  it.each([
    ["/mlops/x", "gpu"],
    ["/research/visions", "gpu"],
    ["/project/web", undefined],
  ])("is closed to %s for %s, and says to whom it is open", (group, pool) => {
    expect(closed(group, pool)).toEqual([
      { path: "tasks.a.pool", message: expect.stringMatching(/is only open to runs below \/ml, .*, and this one is in/) },
    ]);
  });

  it.each(["gpu", "gpu=", "gpu=ml", "gpu=/ml,gpu=/x", "=/ml", "gpu=/ml|", "gpu=/ml/"])("cannot be set by %s", (text) => {
    expect(() => parseConfig({ env: { OSTLER_POOL_GROUPS: text }, argv: [] })).toThrow("OSTLER_POOL_GROUPS must be pairs");
  });
});
