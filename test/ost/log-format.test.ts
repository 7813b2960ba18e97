import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, type LogChunk } from "../../src/ost/log-chunk.ts";
import { blockBytes } from "../../src/ost/log-format.ts";
import { type LogObject, openLog } from "../../src/ost/log-object.ts";
import { putLog } from "../../src/ost/log-writer.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import type { Store } from "../../src/ost/store.ts";

const assignment = "a-0-1-s";

type Piece = { readonly text: string; readonly at: number } | { readonly lost: number | null };

/** Pieces as chunks at the addresses that follow from them. */
function chunksOf(pieces: readonly Piece[], from = 0): LogChunk[] {
  const chunks: LogChunk[] = [];
  let at = from;
  for (const piece of pieces) {
    const chunk: LogChunk =
      "text" in piece
        ? { type: "bytes", offset: at, at: piece.at, bytes: Buffer.from(piece.text, "utf8") }
        : { type: "gap", from: at, to: piece.lost === null ? null : at + piece.lost, why: "executor_lost" };
    chunks.push(chunk);
    at = endOf(chunk);
  }
  return chunks;
}

async function written(pieces: readonly Piece[], store: Store = createMemoryStore()): Promise<LogObject> {
  await putLog(store, "log", { assignment, chunks: chunksOf(pieces) }, { onlyIfAbsent: true });
  const log = await openLog(store, "log");
  if (!log) throw new Error("no log was written");
  return log;
}

async function collect(chunks: AsyncIterable<LogChunk>) {
  const found: LogChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

async function textOf(chunks: AsyncIterable<LogChunk>) {
  const bytes = (await collect(chunks)).flatMap((chunk) => (chunk.type === "bytes" ? [chunk.bytes] : []));
  return Buffer.concat(bytes).toString("latin1");
}

/** Address, byte and time of every byte; and every gap. */
function flatten(chunks: readonly LogChunk[]) {
  return chunks.flatMap((chunk): unknown[] =>
    chunk.type === "bytes" ? [...chunk.bytes].map((byte, i) => [chunk.offset + i, byte, chunk.at]) : [chunk],
  );
}

const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      text: fc.string({ unit: fc.constantFrom("a", "\n", "é", "\u001b[1m"), maxLength: 30 }),
      at: fc.integer({ min: 0, max: 2e12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ lost: fc.integer({ min: 1, max: 5_000 }) }) },
);

describe("a log object", () => {
  it("gives back any range of what was written, with every time and every gap", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.nat(2_000), fc.nat(2_000), async (pieces, a, b) => {
        const all = chunksOf(pieces);
        fc.pre(all.some((chunk) => chunk.type === "gap" || chunk.bytes.length > 0));
        const log = await written(pieces);
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const expected = flatten(all).filter((item) => Array.isArray(item) && item[0] >= from && item[0] < to);
        const read = await collect(log.chunks({ from, to }, { times: true }));
        expect(flatten(read).filter(Array.isArray)).toEqual(expected);
        const lost = all.flatMap((chunk) => (chunk.type === "gap" && chunk.to !== null ? [chunk] : []));
        const clipped = lost
          .filter((gap) => gap.from < to && (gap.to ?? 0) > from)
          .map((gap) => ({ ...gap, from: Math.max(gap.from, from), to: Math.min(gap.to ?? 0, to) }));
        expect(read.filter((chunk) => chunk.type === "gap")).toEqual(clipped);
      }),
      { numRuns: 300 },
    );
  });

  it("finds where the last lines begin", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 70 }), async (content, count) => {
        const log = await written([{ text: content, at: 1 }]);
        const lines = content.match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(log.index.lines).toBe(lines.length);
        expect(content.slice(await log.tailStart(count))).toBe(lines.slice(-count).join(""));
      }),
      { numRuns: 300 },
    );
  });

  it("reads logs of many blocks by ranges of a few, and never the whole object", async () => {
    const memory = createMemoryStore();
    const line = (i: number) => `${String(i).padStart(9, "0")} ${createHash("sha256").update(`${i}`).digest("base64")}\n`;
    const lines = Array.from({ length: 60_000 }, (_, i) => line(i));
    const text = lines.join("");
    await putLog(
      memory,
      "log",
      { assignment, chunks: chunksOf(lines.map((l, i) => ({ text: l, at: 1_000 + i }))) },
      { onlyIfAbsent: true },
    );
    const sizeBytes = (await memory.stat("log"))?.sizeBytes ?? 0;
    const requests: number[] = [];
    const counting: Store = {
      ...memory,
      get: async (key, range) => {
        const bytes = await memory.get(key, range);
        requests.push(bytes?.length ?? 0);
        return bytes;
      },
    };
    const log = await openLog(counting, "log");
    expect(log?.index).toMatchObject({
      size: text.length,
      lines: lines.length,
      complete: true,
      sha256: createHash("sha256").update(text).digest("hex"),
    });
    expect(log?.index.blocks.length).toBe(Math.ceil(text.length / blockBytes));
    const from = 2_345_678;
    expect(await textOf(log?.chunks({ from, to: from + 100 }) ?? collectNothing())).toBe(text.slice(from, from + 100));
    const start = (await log?.tailStart(3)) ?? 0;
    expect(text.slice(start)).toBe(lines.slice(-3).join(""));
    expect(requests.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(sizeBytes / 3);
    expect(await textOf(log?.chunks({ from: 0 }) ?? collectNothing())).toBe(text);
  });

  it("is not made for a log without a byte, but for one that lost all of them", async () => {
    const store = createMemoryStore();
    expect(await putLog(store, "empty", { assignment, chunks: chunksOf([{ text: "", at: 1 }]) }, { onlyIfAbsent: true })).toBeUndefined();
    expect(await store.stat("empty")).toBeUndefined();
    const lost = await written([{ lost: null }], store);
    expect(lost.index).toMatchObject({ size: 0, lines: 0, complete: false, gaps: [{ from: 0, to: null, why: "executor_lost" }] });
    expect(await collect(lost.chunks({ from: 0 }))).toEqual([{ type: "gap", from: 0, to: null, why: "executor_lost" }]);
  });

  it("tells where bytes are missing, once, also at the very end", async () => {
    const log = await written([{ text: "one\n", at: 1 }, { lost: 10 }, { text: "two\n", at: 2 }, { lost: null }]);
    expect(log.index).toMatchObject({ size: 18, lines: 2, complete: false });
    expect(flatten(await collect(log.chunks({ from: 4, to: 14 })))).toEqual([{ type: "gap", from: 4, to: 14, why: "executor_lost" }]);
    expect(await collect(log.chunks({ from: 14 }))).toEqual([
      { type: "bytes", offset: 14, at: 0, bytes: Buffer.from("two\n") },
      { type: "gap", from: 18, to: null, why: "executor_lost" },
    ]);
  });

  it("refuses parts that leave a hole or overlap", async () => {
    const holey: LogChunk[] = [{ type: "bytes", offset: 5, at: 1, bytes: Buffer.from("x") }];
    await expect(putLog(createMemoryStore(), "log", { assignment, chunks: holey }, { onlyIfAbsent: true })).rejects.toThrow(
      "begins at 5 where 0 was due",
    );
  });

  it("notices that an object is damaged, or is no log", async () => {
    const store = createMemoryStore();
    await written([{ text: "some text that is long enough to be compressed a little, a little, a little", at: 1 }], store);
    const bytes = Buffer.from((await store.get("log")) ?? []);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 0xff, 20);
    await store.put("damaged", bytes);
    const damaged = await openLog(store, "damaged");
    await expect(textOf(damaged?.chunks({ from: 0 }) ?? collectNothing())).rejects.toThrow();
    await store.put("other", Buffer.from("not a log at all, whatever its name says"));
    await expect(openLog(store, "other")).rejects.toThrow("not a log object");
    expect(await openLog(store, "none")).toBeUndefined();
  });

  it("holds one block of text in memory while it is written", async () => {
    let written = 0;
    let ahead = 0;
    const endless = async function* (): AsyncGenerator<LogChunk> {
      for (let i = 0; i < 100; i++) {
        yield { type: "bytes", offset: i * 65_536, at: i, bytes: Buffer.alloc(65_536, "x") };
        ahead = Math.max(ahead, (i + 1) * 65_536 - written * blockBytes);
      }
    };
    const store: Store = {
      ...createMemoryStore(),
      put: async (_key, body) => {
        if (!(body instanceof Uint8Array)) for await (const _ of body) written += 1;
        return true;
      },
    };
    await putLog(store, "log", { assignment, chunks: endless() }, { onlyIfAbsent: true });
    expect(ahead).toBeLessThanOrEqual(2 * blockBytes);
  });
});

async function* collectNothing(): AsyncGenerator<LogChunk> {
  yield* [];
}
