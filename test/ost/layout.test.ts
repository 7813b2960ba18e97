import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkKey } from "../../src/ost/key.ts";
import { keySegment, keySegmentPrefix, layout, parseSegmentKey, segmentName } from "../../src/ost/layout.ts";

const place = { runId: "01k000000000000000000000ab", task: "unit tests (1)", attempt: 2, step: "0" };
const name = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
  fc.constantFrom(".", "..", ".a", "~", "/", "%2F", "a/b"),
);

describe("an object's key", () => {
  it("spells every kind of object as the documentation does", () => {
    expect(layout.log(place)).toBe("logs/01k000000000000000000000ab/unit%20tests%20%281%29/2/0.log");
    expect(layout.logsDeleted(place)).toBe("logs/01k000000000000000000000ab/unit%20tests%20%281%29/2.deleted");
    expect(layout.workspace(place)).toBe("workspaces/01k000000000000000000000ab/unit%20tests%20%281%29/2/0.tar.zst");
    expect(layout.artifact(place, "report")).toBe("artifacts/01k000000000000000000000ab/unit%20tests%20%281%29/2/report.tar.zst");
    expect(layout.cache({ root: "/project/web", namespace: "web" }, "npm-amd64")).toBe("caches/%2Fproject%2Fweb/web/npm-amd64.tar.zst");
    expect(layout.run(place.runId)).toBe("runs/01k000000000000000000000ab/run.json");
  });

  it("is valid whatever people call things, never too long, and never the same for two names", () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        for (const segment of [keySegment(a), keySegment(b)]) {
          expect(checkKey(`x/${segment}/y`)).toHaveLength(3);
          expect(segment.length).toBeLessThanOrEqual(100);
        }
        expect(keySegment(a) === keySegment(b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  it("is not the one of a name that looks like a hashed one, and never ends in half of an escape", () => {
    const hashed = keySegment("x".repeat(101));
    expect(keySegment(hashed)).not.toBe(hashed);
    for (let length = 50; length < 70; length++) {
      expect(keySegment(`${"x".repeat(length)}${"é".repeat(30)}`)).toMatch(/^([\w.-]|%[0-9A-F]{2})+~[0-9a-f]{32}$/);
    }
  });

  it("gives the name back unless it had to be hashed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (plain) => {
        expect([plain, undefined]).toContain(segmentName(keySegment(plain)));
      }),
    );
    expect(segmentName(keySegment("a b"))).toBe("a b");
    expect(segmentName(keySegment("x".repeat(101)))).toBeUndefined();
  });

  it("begins with the prefix of the name's beginning", () => {
    fc.assert(
      fc.property(name, fc.string({ maxLength: 150 }), (begin, rest) => {
        expect(keySegment(begin + rest).startsWith(keySegmentPrefix(begin))).toBe(true);
      }),
    );
  });

  it("sorts the segments of a log by their ends", () => {
    const keys = [0, 9, 10, 1_000_000, 99, 12].map((to) => layout.segment(place, "a", { from: 0, to }));
    expect(keys.sort().map((key) => parseSegmentKey(key).to)).toEqual([0, 9, 10, 12, 99, 1_000_000]);
    expect(layout.segmentsTo(place, "a", 10) > layout.segment(place, "a", { from: 0, to: 10 })).toBe(true);
    expect(layout.segmentsTo(place, "a", 10) < layout.segment(place, "a", { from: 0, to: 11 })).toBe(true);
  });
});
