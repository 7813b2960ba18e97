import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMasking } from "../../src/executors/masking.ts";

/** The masked stream, fed in pieces that end at these places. */
function maskInPieces(secrets: readonly string[], text: Uint8Array, cuts: readonly number[]): string {
  const masker = createMasking(secrets).createMasker();
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    parts.push(masker.push(text.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  parts.push(masker.push(text.subarray(from)), masker.flush());
  return Buffer.concat(parts).toString();
}

const mask = (secrets: readonly string[], text: string) => createMasking(secrets).maskText(text);

describe("masking", () => {
  it("replaces a secret wherever it stands", () => {
    expect(mask(["hunter2"], "hunter2 is hunter2, nothunter22")).toBe("*** is ***, not***2");
  });

  it("gives the same however the stream is cut", () => {
    const text = Buffer.from("a hunter2 hunter hunter2hunter2\nhunter\n2");
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second += 3) {
        expect(maskInPieces(["hunter2"], text, [first, second])).toBe("a *** hunter ******\nhunter\n2");
      }
    }
  });

  it("never lets a secret through, whatever surrounds it and wherever it is cut", () => {
    const secret = fc.stringMatching(/^[a-d]{3,12}$/);
    const around = fc.stringMatching(/^[a-d\n]{0,30}$/);
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(around, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(100), { maxLength: 6 }),
        (secrets, pieces, cuts) => {
          const text = Buffer.from(pieces.map((piece, index) => piece + (secrets[index % secrets.length] ?? "")).join(""));
          const masked = maskInPieces(
            secrets,
            text,
            cuts.map((cut) => Math.min(cut, text.length)),
          );
          for (const value of secrets) expect(masked).not.toContain(value);
          expect(masked).toBe(maskInPieces(secrets, text, []));
        },
      ),
    );
  });

  it("masks overlapping secrets as one, so that no end of either shows", () => {
    expect(mask(["abcd", "cdef"], "xabcdefx")).toBe("x***x");
    expect(mask(["ab", "abcd"], "abcd ab")).toBe("*** ***");
  });

  it("masks a secret of many lines as a whole, and each of its lines", () => {
    const key = "-----BEGIN-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END-----\n";
    expect(mask([key], `>${key}<`)).toBe(">***\n<");
    expect(mask([key], "  | kqhkiG9w0BAQEF |\r\n  | MIIEvQIBADANBg |")).toBe("  | *** |\r\n  | *** |");
  });

  it("leaves lines of it alone that are everywhere", () => {
    expect(mask(["{\nsecret\n}"], "{}\n")).toBe("{}\n");
  });

  it.each([0, 1, 2])("masks the base64 of a secret after %i bytes, in both alphabets", (before) => {
    const secret = "p?ss>wörd-1234567";
    const bytes = Buffer.from(`${"x".repeat(before)}${secret}y`);
    for (const alphabet of ["base64", "base64url"] as const) {
      const encoded = bytes.toString(alphabet);
      const masked = mask([secret], encoded);
      expect(masked).toContain("***");
      // What is left says less than two bytes at either end.
      expect(masked.replace("***", "").replaceAll("=", "").length).toBeLessThanOrEqual(before * 2 + 6);
    }
  });

  it("masks base64 that an encoder has broken into lines", () => {
    const secret = "a long secret that fills more than one line of seventy-six characters, as keys do";
    const wrapped = (
      Buffer.from(secret)
        .toString("base64")
        .match(/.{1,20}/g) ?? []
    ).join("\r\n");
    expect(mask([secret], wrapped)).toMatch(/^\*\*\*.{0,4}$/);
  });

  it("holds back no more than the begin of a possible secret", () => {
    const masker = createMasking(["hunter2"]).createMasker();
    expect(Buffer.from(masker.push(Buffer.from("all is well: hunt"))).toString()).toBe("all is well: ");
    expect(Buffer.from(masker.push(Buffer.from("ing season\n"))).toString()).toBe("hunting season\n");
  });

  it("does not touch a stream without secrets, empty ones included", () => {
    expect(mask(["", "  \n"], "as it was")).toBe("as it was");
  });

  it("masks bytes that are not text around a secret", () => {
    const text = Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from("hunter2"), Buffer.from([0xfe])]);
    const masker = createMasking(["hunter2"]).createMasker();
    expect(Buffer.concat([masker.push(text), masker.flush()])).toEqual(
      Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from("***"), Buffer.from([0xfe])]),
    );
  });
});
