import { describe, expect, it } from "vitest";
import { type CacheKeyFunctions, evaluateCacheKey, parseCacheKey } from "../../../src/runs/cache-key.ts";

const calls: CacheKeyFunctions = {
  arch: () => "arm64",
  os: () => "linux",
  env: (name) => `<${name}>`,
  sha256sum: async (file) => `#${file}#`,
  year: () => "2026",
  month: () => "11",
  day: () => "23",
  unixtime: () => "1",
};

describe("a cache key template", () => {
  it.each([
    ["plain", "plain"],
    ["npm-{{ arch }}-{{os}}", "npm-arm64-linux"],
    ['{{ sha256sum "a b/package-lock.json" }}{{ env "X" }}', "#a b/package-lock.json#<X>"],
    ["{{year}}-{{month}}-{{day}} } {", "2026-11-23 } {"],
  ])("%s stands for %s", async (template, key) => {
    expect(await evaluateCacheKey(template, calls)).toBe(key);
  });

  it.each([
    ["", /empty/],
    ["a{{ arch", /never closed/],
    ["{{ }}", /not a function/],
    ["{{ now }}", /no function "now"/],
    ["{{ toString }}", /no function "toString"/],
    ["{{ env }}", /needs an argument/],
    ['{{ arch "x" }}', /takes no argument/],
    ['{{ env "a" "b" }}', /not a function/],
    ["x".repeat(1025), /longer than/],
  ])("%s is refused", async (template, fault) => {
    expect(parseCacheKey(template)).toMatchObject({ fault: expect.stringMatching(fault) });
    await expect(evaluateCacheKey(template, calls)).rejects.toThrow(fault);
  });

  it("fails with what it calls", async () => {
    await expect(
      evaluateCacheKey('{{ sha256sum "x" }}', { ...calls, sha256sum: () => Promise.reject(new Error("no such file")) }),
    ).rejects.toThrow("no such file");
  });
});
