import { describe, expect, it } from "vitest";
import { formatSize } from "../../src/cli/text/size.ts";
import { tableLines } from "../../src/cli/text/table.ts";
import { ageText, durationText } from "../../src/cli/text/time.ts";
import { oneLine, pad, truncate, widthOf } from "../../src/cli/text/width.ts";

describe("width", () => {
  it.each([
    ["plain", 5],
    ["\x1b[31mred\x1b[39m", 3],
    ["naïve", 5],
    ["e\u0301", 1],
    ["a\u200Bb", 2],
    ["日本", 4],
    ["👩‍👩‍👧", 2],
    ["✓ ok", 4],
    ["", 0],
  ])("of %j is %i", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  it("is never exceeded by a text that was cut, and wide characters are not cut in two", () => {
    expect(truncate("unit tests", 6)).toBe("unit …");
    expect(truncate("日本語", 4)).toBe("日…");
    expect(truncate("short", 5)).toBe("short");
    expect(truncate("x", 0)).toBe("");
  });

  it("is filled up with blanks", () => {
    expect(pad("日", 4)).toBe("日  ");
  });
});

it("makes text of others harmless for a terminal", () => {
  expect(oneLine("a\x1b[2Jb\x1b]0;title\x07c")).toBe("abc");
  expect(oneLine("one\r\ntwo\tthree ")).toBe("one two three");
  expect(oneLine("bell\x07 back\x08 \u202Eevil")).toBe("bell\uFFFD back\uFFFD \uFFFDevil");
});

it("says durations in two units and ages in one", () => {
  const second = 1000;
  const hour = 3_600_000;
  expect([0, 449, 9_940, 9_960, 59_700, 185_000, 7_260_000, 99 * hour].map(durationText)).toEqual([
    "0.0s",
    "0.4s",
    "9.9s",
    "10s",
    "1m00s",
    "3m05s",
    "2h01m",
    "4d03h",
  ]);
  expect([-5, 59 * second, 119 * 60 * second, 47 * hour, 48 * hour].map(ageText)).toEqual(["0s", "59s", "119m", "47h", "2d"]);
});

it("says sizes in the unit that reads best", () => {
  expect([0, 1023, 1024, 3_565_158, 250 * 1024 ** 2, 2 ** 45].map(formatSize)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "3.4 MiB",
    "250 MiB",
    "32.0 TiB",
  ]);
});

describe("a table", () => {
  const columns = [
    { title: "NAME", text: (row: readonly string[]) => row[0] ?? "" },
    { title: "NOTE", text: (row: readonly string[]) => row[1] ?? "", paint: (text: string) => `<${text}>` },
  ];

  it("aligns its columns, marks what is empty, and keeps everything on one line", () => {
    expect(
      tableLines(columns, [
        ["build", "two\nlines"],
        ["日本", ""],
      ]),
    ).toEqual(["NAME   NOTE", "build  <two lines>", "日本   <->"]);
  });

  it("is cut at a terminal's width, never in a pipe", () => {
    const rows = [["build", "a long note about it"]];
    expect(tableLines(columns, rows, 14)).toEqual(["NAME   NOTE", "build  <a long…>"]);
    expect(tableLines(columns, rows)[1]).toBe("build  <a long note about it>");
  });
});
