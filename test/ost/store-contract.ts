import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { ListQuery, Store } from "../../src/ost/store.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");
const textOf = (found: Uint8Array | undefined) => found && Buffer.from(found).toString("utf8");

async function* parts(...texts: readonly string[]) {
  for (const text of texts) yield bytes(text);
}

async function drain(stream: AsyncIterable<Uint8Array> | undefined) {
  if (!stream) return undefined;
  const found: Uint8Array[] = [];
  for await (const part of stream) found.push(part);
  return Buffer.concat(found).toString("utf8");
}

async function listAll(store: Store, query: ListQuery) {
  const keys: string[] = [];
  const prefixes: string[] = [];
  for (let startAfter: string | undefined = query.startAfter ?? ""; startAfter !== undefined; ) {
    const page = await store.list({ ...query, startAfter });
    expect(page.objects.length + page.prefixes.length).toBeLessThanOrEqual(query.limit ?? 1_000);
    keys.push(...page.objects.map((object) => object.key));
    prefixes.push(...page.prefixes);
    startAfter = page.next;
  }
  return { keys, prefixes };
}

/** What every store must do, whatever it is made of. `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<Store>) {
  describe(`a ${name} store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });

    it("gives back what was put, from memory and from a stream of unknown length", async () => {
      expect(await store.put("a/b", bytes("hello"))).toBe(true);
      expect(await store.put("a/c", parts("he", "", "llo"))).toBe(true);
      expect(textOf(await store.get("a/b"))).toBe("hello");
      expect(textOf(await store.get("a/c"))).toBe("hello");
      expect(await drain(await store.stream("a/c"))).toBe("hello");
    });

    it("keeps an empty object apart from none", async () => {
      await store.put("empty", bytes(""));
      expect(textOf(await store.get("empty"))).toBe("");
      expect((await store.stat("empty"))?.sizeBytes).toBe(0);
      expect(await store.get("none")).toBeUndefined();
      expect(await store.stream("none")).toBeUndefined();
      expect(await store.stat("none")).toBeUndefined();
      expect(await store.get("empty/below")).toBeUndefined();
    });

    it("does not take a folder for an object", async () => {
      await store.put("a/b/c", bytes("1"));
      expect(await store.get("a/b")).toBeUndefined();
      expect(await store.stat("a/b")).toBeUndefined();
      expect(await store.stream("a/b")).toBeUndefined();
    });

    it("replaces an object as a whole", async () => {
      await store.put("k", bytes("a longer text"));
      await store.put("k", bytes("short"));
      expect(textOf(await store.get("k"))).toBe("short");
    });

    it("puts only if absent when asked to, and says whether it did", async () => {
      expect(await store.put("k", bytes("first"), { onlyIfAbsent: true })).toBe(true);
      expect(await store.put("k", bytes("second"), { onlyIfAbsent: true })).toBe(false);
      expect(await store.put("k", parts("third"), { onlyIfAbsent: true })).toBe(false);
      expect(textOf(await store.get("k"))).toBe("first");
    });

    it("lets exactly one of many concurrent puts win", async () => {
      const puts = Array.from({ length: 20 }, (_, i) => store.put("race/k", parts(`writer ${i}`), { onlyIfAbsent: true }));
      const won = (await Promise.all(puts)).flatMap((put, i) => (put ? [`writer ${i}`] : []));
      expect(won).toHaveLength(1);
      expect(textOf(await store.get("race/k"))).toBe(won[0]);
    });

    it("reads ranges: from a start, to an end, from the end, beyond the end", async () => {
      await store.put("k", bytes("0123456789"));
      const cases: readonly (readonly [{ start: number; end?: number }, string])[] = [
        [{ start: 3 }, "3456789"],
        [{ start: 3, end: 5 }, "34"],
        [{ start: -4 }, "6789"],
        [{ start: -40 }, "0123456789"],
        [{ start: 8, end: 400 }, "89"],
        [{ start: 10 }, ""],
        [{ start: 40 }, ""],
      ];
      for (const [range, expected] of cases) {
        expect(textOf(await store.get("k", range))).toBe(expected);
        expect(await drain(await store.stream("k", range))).toBe(expected);
      }
    });

    it("lists in key order, where a folder's name is also the beginning of others", async () => {
      const keys = ["a-1", "a.1", "a/1", "a/2/3", "a0", "b"];
      for (const key of [...keys].reverse()) await store.put(key, bytes(key));
      expect((await listAll(store, { prefix: "" })).keys).toEqual(keys);
      expect((await listAll(store, { prefix: "a" })).keys).toEqual(keys.slice(0, -1));
      expect((await listAll(store, { prefix: "a/" })).keys).toEqual(["a/1", "a/2/3"]);
      expect((await listAll(store, { prefix: "a/2/" })).keys).toEqual(["a/2/3"]);
      expect((await listAll(store, { prefix: "nothing/here" })).keys).toEqual([]);
      expect((await listAll(store, { prefix: "", startAfter: "a/1" })).keys).toEqual(["a/2/3", "a0", "b"]);
      expect((await listAll(store, { prefix: "", startAfter: "a/2" })).keys).toEqual(["a/2/3", "a0", "b"]);
    });

    it("lists common prefixes once instead of what is below them", async () => {
      for (const key of ["r/1/x", "r/1/y", "r/2/x", "r/file", "s/1"]) await store.put(key, bytes(key));
      expect(await listAll(store, { prefix: "r/", delimiter: "/" })).toEqual({ keys: ["r/file"], prefixes: ["r/1/", "r/2/"] });
      expect(await listAll(store, { prefix: "r/", delimiter: "/", limit: 1 })).toEqual({ keys: ["r/file"], prefixes: ["r/1/", "r/2/"] });
      expect(await listAll(store, { prefix: "", delimiter: "/" })).toEqual({ keys: [], prefixes: ["r/", "s/"] });
    });

    it("tells size and age of what it lists", async () => {
      const before = Date.now();
      await store.put("k", bytes("12345"));
      const [object] = (await store.list({ prefix: "k" })).objects;
      expect(object?.sizeBytes).toBe(5);
      expect(object?.modifiedAt).toBe((await store.stat("k"))?.modifiedAt);
      expect(Math.abs((object?.modifiedAt ?? 0) - before)).toBeLessThan(60_000);
    });

    it("deletes what is there, and the folder that is left is no prefix any more", async () => {
      for (const key of ["d/1/a", "d/1/b", "d/2/a"]) await store.put(key, bytes("x"));
      await store.delete(["d/1/a", "d/1/b", "d/none", "none"]);
      expect(await store.get("d/1/a")).toBeUndefined();
      expect(await listAll(store, { prefix: "d/", delimiter: "/" })).toEqual({ keys: [], prefixes: ["d/2/"] });
      await store.put("d/1/a", bytes("again"));
      expect(textOf(await store.get("d/1/a"))).toBe("again");
    });

    it.each([
      "",
      "/a",
      "a/",
      "a//b",
      ".",
      "..",
      "a/../b",
      "a/./b",
      "a\0b",
      "a\\b",
      ".tmp/a",
      "x".repeat(256),
    ])("refuses the key %j", async (key) => {
      await expect(store.put(key, bytes("x"))).rejects.toThrow(/key/);
      await expect(store.get(key)).rejects.toThrow(/key/);
    });

    it("accepts odd keys as they are", async () => {
      const keys = ["a/%2Fx%20y", "a/a~b", "a/...", "a/ü", "a/.hidden", "a/*?", `a/${"y".repeat(255)}`];
      for (const key of keys) await store.put(key, bytes(key));
      for (const key of keys) expect(textOf(await store.get(key))).toBe(key);
      expect((await listAll(store, { prefix: "a/" })).keys.sort()).toEqual([...keys].sort());
    });

    it("leaves the old object in place when a body fails, or is aborted", async () => {
      await store.put("k", bytes("old"));
      const broken = async function* () {
        yield bytes("half");
        throw new Error("the source broke");
      };
      await expect(store.put("k", broken())).rejects.toThrow("the source broke");
      const abort = new AbortController();
      const stuck = async function* () {
        yield bytes("half");
        abort.abort(new Error("no longer wanted"));
        yield bytes("more");
      };
      await expect(store.put("k", stuck(), { signal: abort.signal })).rejects.toThrow();
      await expect(store.put("k", bytes("x"), { signal: abort.signal })).rejects.toThrow();
      expect(textOf(await store.get("k"))).toBe("old");
      expect((await listAll(store, { prefix: "" })).keys).toEqual(["k"]);
    });

    it("lists any set of keys in any page size, without missing or repeating one", async () => {
      const segment = fc.constantFrom("a", "b", "a-b", "a.b", "ab", "B", "%20");
      const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `${segments.map((s) => `${s}/`).join("")}o`);
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.integer({ min: 1, max: 5 }),
          fc.constantFrom("", "a", "a/", "a/b/", "B/"),
          async (keys, limit, prefix) => {
            const fresh = await open();
            for (const k of keys) await fresh.put(k, bytes(k));
            const expected = keys.filter((k) => k.startsWith(prefix)).sort();
            expect((await listAll(fresh, { prefix, limit })).keys).toEqual(expected);
            const folders = new Set(
              expected.flatMap((k) => (k.includes("/", prefix.length) ? [k.slice(0, k.indexOf("/", prefix.length) + 1)] : [])),
            );
            expect((await listAll(fresh, { prefix, limit, delimiter: "/" })).prefixes).toEqual([...folders].sort());
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}
