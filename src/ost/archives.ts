import { z } from "zod";
import { type CachePlace, layout } from "./layout.ts";
import type { Store } from "./store.ts";
import { compressFrame, decompressFrames } from "./zstd-frames.ts";

/** What an archive says of itself, since its key may hold only a hash of its name (docs/formats/archives.md). */
export const ArchiveLabel = z.object({
  version: z.literal(1),
  kind: z.enum(["workspace", "artifact", "cache", "source"]),
  /** The cache's key, the artifact's name; of a workspace the task's name. */
  name: z.string(),
});
export type ArchiveLabel = z.infer<typeof ArchiveLabel>;

/** The label follows the compressed tar as a skippable frame, which `zstd -d` passes over; its last bytes find it from the end. */
const skippableMagic = 0x184d2a50;
const labelMagic = Buffer.from("OSTLBL1\n", "latin1");
const footerBytes = 4 + labelMagic.length;
/** Longest name that people may give, percent-encoding and JSON escapes counted, fits. */
const maxLabelBytes = 16 * 1024;

/** Compresses and stores a tar stream, unless its key is taken: archives never change. False if it is. */
export async function putArchive(
  store: Store,
  key: string,
  archive: { readonly label: Omit<ArchiveLabel, "version">; readonly tar: AsyncIterable<Uint8Array> },
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  return store.put(key, encodeArchive(archive.tar, { version: 1, ...archive.label }), { ...options, onlyIfAbsent: true });
}

async function* encodeArchive(tar: AsyncIterable<Uint8Array>, label: ArchiveLabel): AsyncGenerator<Uint8Array> {
  yield* compressFrame(tar);
  yield encodeLabel(label);
}

function encodeLabel(label: ArchiveLabel): Buffer {
  const json = Buffer.from(JSON.stringify(label), "utf8");
  const frame = Buffer.alloc(8 + json.length + footerBytes);
  frame.writeUInt32LE(skippableMagic, 0);
  frame.writeUInt32LE(json.length + footerBytes, 4);
  json.copy(frame, 8);
  frame.writeUInt32LE(json.length, 8 + json.length);
  labelMagic.copy(frame, 12 + json.length);
  return frame;
}

/** The tar stream of an archive, also of one that another tool compressed; undefined if there is none. */
export async function readArchive(store: Pick<Store, "stream">, key: string): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const stream = await store.stream(key);
  return stream && decompressFrames(stream);
}

/** What an archive says of itself; undefined if there is none, or it has no label (sources come as their clients made them). */
export async function readLabel(store: Store, key: string): Promise<ArchiveLabel | undefined> {
  const suffix = await store.get(key, { start: -maxLabelBytes });
  if (!suffix || suffix.length < footerBytes) return undefined;
  const end = Buffer.from(suffix.buffer, suffix.byteOffset, suffix.byteLength);
  if (!end.subarray(-labelMagic.length).equals(labelMagic)) return undefined;
  const length = end.readUInt32LE(end.length - footerBytes);
  const json = end.subarray(end.length - footerBytes - length, end.length - footerBytes);
  return ArchiveLabel.parse(JSON.parse(json.toString("utf8")));
}

export interface FoundCache {
  /** The object's key. */
  readonly key: string;
  /** The cache's own key, which `exact` or its beginning was asked for. */
  readonly name: string;
  readonly exact: boolean;
}

/** The cache of exactly this key, else the newest one whose key begins with it, in one namespace of one root group. */
export async function findCache(store: Store, place: CachePlace, name: string): Promise<FoundCache | undefined> {
  const key = layout.cache(place, name);
  if (await store.stat(key)) return { key, name, exact: true };
  const candidates = await listAll(store, layout.cachePrefix(place, name));
  candidates.sort((a, b) => b.modifiedAt - a.modifiedAt);
  for (const candidate of candidates) {
    // A long prefix is cut in the key: only the label tells whether the rest of it matches too.
    const label = await readLabel(store, candidate.key);
    if (label?.name.startsWith(name)) return { key: candidate.key, name: label.name, exact: false };
  }
  return undefined;
}

async function listAll(store: Store, prefix: string) {
  const found: { key: string; modifiedAt: number }[] = [];
  let startAfter: string | undefined;
  do {
    const page = await store.list({ prefix, ...(startAfter === undefined ? {} : { startAfter }) });
    found.push(...page.objects);
    startAfter = page.next;
  } while (startAfter !== undefined);
  return found;
}
