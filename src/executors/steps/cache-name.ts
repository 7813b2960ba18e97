import type { Store } from "../../ost/store.ts";

/** A frame that zstd decoders skip (RFC 8878, 3.1.2). It stands last: Node's decoder ends with the first frame it meets. */
const skippableMagic = 0x184d2a50;
const headBytes = 8;
/** The name's length, then this: so that the name is found from the object's end. */
const mark = Buffer.from("OSTN", "latin1");
const trailerBytes = 4 + mark.length;
const maxNameBytes = 4 * 1024;

/** The plain name of a cache, as bytes at the end of its archive (docs/formats/archives.md). A long name's key holds only its hash. */
export function encodeCacheName(name: string): Uint8Array {
  const text = Buffer.from(name);
  const frame = Buffer.alloc(headBytes + text.length + trailerBytes);
  frame.writeUInt32LE(skippableMagic, 0);
  frame.writeUInt32LE(text.length + trailerBytes, 4);
  text.copy(frame, headBytes);
  frame.writeUInt32LE(text.length, headBytes + text.length);
  mark.copy(frame, headBytes + text.length + 4);
  return frame;
}

/** The plain name of the cache at `key`; undefined if there is none (any more), or it has no name. */
export async function readCacheName(store: Store, key: string): Promise<string | undefined> {
  const suffix = await store.get(key, { start: -(maxNameBytes + trailerBytes) });
  if (!suffix || suffix.length < trailerBytes) return undefined;
  const end = Buffer.from(suffix.buffer, suffix.byteOffset, suffix.byteLength);
  if (!end.subarray(-mark.length).equals(mark)) return undefined;
  const textEnd = end.length - trailerBytes;
  const length = end.readUInt32LE(textEnd);
  return length > textEnd ? undefined : end.subarray(textEnd - length, textEnd).toString();
}
