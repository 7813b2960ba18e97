import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LogPlace, linesAfter, stampedLines } from "../../src/executors/kubernetes/log-lines.ts";

async function* chunks(parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function read(parts: readonly string[], place?: LogPlace): Promise<{ readonly text: string; readonly place: LogPlace | undefined }> {
  let text = "";
  let last = place;
  for await (const { stamp, bytes } of linesAfter(place, stampedLines(chunks(parts)))) {
    text += Buffer.from(bytes).toString();
    last = { stamp, count: last?.stamp === stamp ? last.count + 1 : 1 };
  }
  return { text, place: last };
}

const second = "2026-11-23T20:02:10";

describe("a log with timestamps", () => {
  it("is the lines without them, the last one with or without an end", async () => {
    expect((await read([`${second}.000000001Z one\n${second}.0000`, "00002Z two"])).text).toBe("one\ntwo");
    expect((await read([`${second}.000000001Z \n${second}.000000002Z  x\n`])).text).toBe("\n x\n");
  });

  it("holds nothing that the server says of itself", async () => {
    expect((await read(["unable to retrieve container logs for containerd://1"])).text).toBe("");
  });

  it("goes on after any line, although the server repeats that line's whole second", async () => {
    const line = fc.record({ nanos: fc.integer({ min: 0, max: 3 }), text: fc.stringMatching(/^[a-z ]{0,5}$/) });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), fc.nat(), async (drawn, at) => {
        const sorted = drawn.toSorted((a, b) => a.nanos - b.nanos);
        const lines = sorted.map(({ nanos, text }) => `${second}.00000000${nanos}Z ${text}\n`);
        const cut = at % (lines.length + 1);
        const before = await read(lines.slice(0, cut));
        const after = await read(lines, before.place);
        expect(before.text + after.text).toBe(sorted.map(({ text }) => `${text}\n`).join(""));
      }),
    );
  });
});
