import { describe, expect, it } from "vitest";
import { parseSize } from "../../src/size.ts";

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
});
