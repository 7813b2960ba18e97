import { describe, expect, it } from "vitest";
import { formatSize, parseSize } from "../../src/size.ts";

describe("sizes", () => {
  it.each([
    ["0", 0],
    ["4096", 4096],
    ["64Mi", 67_108_864],
    ["2Gi", 2_147_483_648],
  ])("reads %s as %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "Mi", "1M", "1.5Mi", "-1", "64 Mi", "999999999999999Gi"])("refuses %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it("writes what it reads back", () => {
    expect(formatSize(33_554_432)).toBe("32Mi");
    for (const bytes of [0, 1, 1023, 1024, 1025, 5 * 1024 ** 3]) expect(parseSize(formatSize(bytes))).toBe(bytes);
  });
});
