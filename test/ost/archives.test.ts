import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCache, putArchive, readArchive, readLabel } from "../../src/ost/archives.ts";
import { layout } from "../../src/ost/layout.ts";
import { createMemoryStore } from "../../src/ost/memory.ts";
import { decompressFrames } from "../../src/ost/zstd-frames.ts";

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gather(stream: AsyncIterable<Uint8Array> | undefined) {
  if (!stream) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const tar = (text: string) => pieces(Buffer.from(text), 7);
const place = { root: "/project/web", namespace: "web" };

describe("an archive", () => {
  it("comes back as it was put, is never replaced, and says what it is", async () => {
    const store = createMemoryStore();
    const label = { kind: "artifact", name: "report" } as const;
    expect(await putArchive(store, "a", { label, tar: tar("the first content") })).toBe(true);
    expect(await putArchive(store, "a", { label, tar: tar("another one") })).toBe(false);
    expect(String(await gather(await readArchive(store, "a")))).toBe("the first content");
    expect(await readLabel(store, "a")).toEqual({ version: 1, ...label });
    expect(await readArchive(store, "none")).toBeUndefined();
  });

  it("is stored not at all when its tar fails in the middle", async () => {
    const store = createMemoryStore();
    const failing = async function* () {
      yield Buffer.from("some");
      throw new Error("a file went away");
    };
    await expect(putArchive(store, "a", { label: { kind: "cache", name: "x" }, tar: failing() })).rejects.toThrow("a file went away");
    expect(await store.stat("a")).toBeUndefined();
  });

  it("is plain zstd for readers that know nothing of labels", async () => {
    const store = createMemoryStore();
    await putArchive(store, "a", { label: { kind: "workspace", name: "x" }, tar: tar("plain") });
    expect(String(zstdDecompressSync((await store.get("a")) ?? new Uint8Array()))).toBe("plain");
  });
});

describe("decompressing", () => {
  it("reads any number of frames cut anywhere, as other tools write them", async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 50 }), async (contents, size) => {
        const frames = Buffer.concat(contents.map((content) => zstdCompressSync(content)));
        expect((await gather(decompressFrames(pieces(frames, size))))?.equals(Buffer.concat(contents))).toBe(true);
      }),
    );
  });

  it("refuses what is cut short or damaged", async () => {
    const frame = zstdCompressSync(Buffer.alloc(100_000, "x"));
    await expect(gather(decompressFrames(pieces(frame.subarray(0, -2), 10)))).rejects.toThrow();
    await expect(gather(decompressFrames(pieces(Buffer.concat([frame, Buffer.from("rubbish")]), 10)))).rejects.toThrow();
  });

  it("hands big streams on piece by piece, and lets the source go when the reader stops", async () => {
    const frame = zstdCompressSync(Buffer.alloc(20_000_000, "x"));
    let isReleased = false;
    const source = async function* () {
      try {
        yield* pieces(frame, 100);
      } finally {
        isReleased = true;
      }
    };
    let size = 0;
    for await (const bytes of decompressFrames(source())) {
      size += bytes.length;
      expect(bytes.length).toBeLessThanOrEqual(1_048_576);
      if (size > 1_000_000) break;
    }
    expect(isReleased).toBe(true);
  });

  it("passes a fault of its source on", async () => {
    const source = async function* () {
      yield zstdCompressSync(Buffer.from("ok")).subarray(0, 8);
      throw new Error("the disk broke");
    };
    await expect(gather(decompressFrames(source()))).rejects.toThrow("the disk broke");
  });
});

describe("finding a cache", () => {
  const put = (store: ReturnType<typeof createMemoryStore>, name: string, at = place) =>
    putArchive(store, layout.cache(at, name), { label: { kind: "cache", name }, tar: tar(name) });

  it("takes the exact key first, then the newest that begins with it, in its own namespace and root group only", async () => {
    let now = 0;
    const store = createMemoryStore(() => ++now);
    await put(store, "npm-1");
    await put(store, "npm-3");
    await put(store, "npm-2");
    await put(store, "npm-9", { ...place, namespace: "other" });
    await put(store, "npm-9", { ...place, root: "/project/api" });
    expect(await findCache(store, place, "npm-1")).toEqual({ key: layout.cache(place, "npm-1"), name: "npm-1", exact: true });
    expect(await findCache(store, place, "npm-")).toMatchObject({ name: "npm-2", exact: false });
    expect(await findCache(store, place, "pip-")).toBeUndefined();
    expect(await findCache(store, place, "npm-9")).toBeUndefined();
  });

  it("tells long keys apart that share the beginning which fits into an object's key", async () => {
    let now = 0;
    const store = createMemoryStore(() => ++now);
    const long = "k".repeat(150);
    await put(store, `${long}-a-1`);
    await put(store, `${long}-b-1`);
    expect(await findCache(store, place, `${long}-a-`)).toMatchObject({ name: `${long}-a-1` });
    expect(await findCache(store, place, `${long}-a-1`)).toMatchObject({ exact: true });
    expect(await findCache(store, place, `${long}-c`)).toBeUndefined();
  });
});

describe("an archive of another tool", () => {
  it("is read whole, though it was compressed in several frames, and has no label", async () => {
    const store = createMemoryStore();
    await store.put("s1", Buffer.concat([zstdCompressSync(Buffer.from("one ")), zstdCompressSync(Buffer.from("two"))]));
    expect(String(await gather(await readArchive(store, "s1")))).toBe("one two");
    expect(await readLabel(store, "s1")).toBeUndefined();
  });
});
