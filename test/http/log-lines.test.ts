import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lines, type TextItem, texts, withTimes } from "../../src/http/log-lines.ts";
import type { LogItem } from "../../src/ost/log-subject.ts";

/** A text's bytes, cut at these places, each piece written a second after the one before. */
function* cutAt(bytes: Uint8Array, places: readonly number[]): Generator<LogItem> {
  const cuts = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  for (const [n, from] of cuts.slice(0, -1).entries()) {
    yield { type: "bytes", offset: from, at: (n + 1) * 1_000, bytes: bytes.subarray(from, cuts[n + 1]) };
  }
}

async function* each(items: Iterable<LogItem>): AsyncGenerator<LogItem> {
  yield* items;
}

async function collect(items: AsyncIterable<TextItem>): Promise<readonly TextItem[]> {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

const places = fc.array(fc.nat(500), { maxLength: 12 });

describe("a log's text", () => {
  it("is the same however its bytes were cut, and addresses leave no hole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 80 }), places, async (text, cuts) => {
        const bytes = Buffer.from(text);
        for (const shape of [texts, lines]) {
          const items = await collect(shape(each(cutAt(bytes, cuts))));
          const pieces = items.flatMap((item) => (item.type === "text" ? [item] : []));
          expect(pieces.map((piece) => piece.text).join("")).toBe(bytes.toString("utf8"));
          expect(pieces.map(({ from }) => from)).toEqual([0, ...pieces.map(({ to }) => to)].slice(0, pieces.length));
          expect(pieces.at(-1)?.to ?? 0).toBe(bytes.length);
        }
      }),
    );
  });

  it("comes line by line, whatever is in the lines", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "grapheme" }).map((line) => line.replace(/\n/g, ""))), places, async (written, cuts) => {
        const bytes = Buffer.from(written.map((line) => `${line}\n`).join(""));
        const items = await collect(lines(each(cutAt(bytes, cuts))));
        expect(items.map((item) => item.type === "text" && item.text)).toEqual(
          written.map((line) => `${Buffer.from(line).toString("utf8")}\n`),
        );
      }),
    );
  });

  it("counts bytes that are no UTF-8 as what they are", async () => {
    const items = await collect(lines(each(cutAt(new Uint8Array([0xff, 0x0a, 0x61]), []))));
    expect(items).toMatchObject([
      { from: 0, to: 2, text: "\ufffd\n" },
      { from: 2, to: 3, text: "a" },
    ]);
  });

  it("gives what waits for its other half when a gap comes instead", async () => {
    const gap: LogItem = { type: "gap", from: 1, to: 9, why: "executor_lost" };
    const items = await collect(texts(each([{ type: "bytes", offset: 0, at: 0, bytes: Buffer.from("ä").subarray(0, 1) }, gap])));
    expect(items).toMatchObject([{ type: "text", text: "\ufffd", to: 1 }, { type: "gap" }]);
  });

  it("has each line's own time, also where a line came in two pieces", async () => {
    const items = await collect(withTimes(lines(each(cutAt(Buffer.from("ab\ncd\nef\n"), [1, 6])))));
    const seconds = items.map((item) => (item.type === "text" ? `${item.text.slice(17, 19)} ${item.text.slice(25)}` : ""));
    expect(seconds).toEqual(["01 ab\n", "02 cd\n", "03 ef\n"]);
  });

  it("never makes a line without end pile up", async () => {
    const bytes = Buffer.alloc(1_000_000, "x");
    const items = await collect(
      lines(
        each(
          cutAt(
            bytes,
            Array.from({ length: 100 }, (_, i) => i * 10_000),
          ),
        ),
      ),
    );
    for (const item of items) expect(item.type === "text" && item.text.length).toBeLessThan(100_000);
  });
});
