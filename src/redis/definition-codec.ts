import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Below this many characters compression costs more than it saves. */
const compressAbove = 1_500;

/** A stored definition's JSON as Redis holds it: `j` and the text, or `z` and the base64 of its zstd frame. */
export function encodeDefinition(json: string): string {
  if (json.length <= compressAbove) return `j${json}`;
  return `z${zstdCompressSync(json).toString("base64")}`;
}

/** The JSON text of `encodeDefinition`; throws on anything else. */
export function decodeDefinition(text: string): string {
  const body = text.slice(1);
  switch (text[0]) {
    case "j":
      return body;
    case "z":
      return zstdDecompressSync(Buffer.from(body, "base64")).toString("utf8");
    default:
      throw new Error("a definition in an unknown encoding");
  }
}
