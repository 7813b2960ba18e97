import { describe, expect, it } from "vitest";
import { redraw, rowsOf } from "../../src/cli/watch/redraw.ts";

/** A terminal as far as the redrawing uses one; lines that were written wider than it is now have been broken (as terminals do on a resize). */
function screenAfter(before: readonly string[], written: string): readonly string[] {
  const rows = [...before];
  let row = rows.length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is read here
  for (const token of written.match(/\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g) ?? []) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const up = /^\x1b\[(\d+)A$/.exec(token);
    if (up) row -= Number(up[1]);
    else if (token === "\n") row += 1;
    else if (token === "\x1b[J") rows.length = row;
    else if (!token.startsWith("\x1b") && token !== "\r") rows[row] = token;
  }
  return rows;
}

describe("a redraw", () => {
  it("replaces the frame before, whether it was higher or lower", () => {
    expect(screenAfter([], redraw([], ["a", "b"], 80))).toEqual(["a", "b"]);
    expect(screenAfter(["$ ostler watch", "a", "b"], redraw(["a", "b"], ["c"], 80))).toEqual(["$ ostler watch", "c"]);
    expect(screenAfter(["$ ostler watch", "a"], redraw(["a"], ["b", "c"], 80))).toEqual(["$ ostler watch", "b", "c"]);
  });

  it("finds the beginning of a frame that a narrower terminal has broken", () => {
    const broken = ["$ ostler watch", "123456", "7890", "ab"];
    expect(screenAfter(broken, redraw(["1234567890", "ab"], ["x"], 6))).toEqual(["$ ostler watch", "x"]);
  });

  it("counts rows by what is seen, not by colours", () => {
    expect(rowsOf(["\x1b[31m123456\x1b[39m", "", "1234567"], 6)).toBe(4);
  });
});
