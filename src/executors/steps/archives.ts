import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import type { Contents } from "../../runs/steps/contents.ts";
import type { PackedContents } from "../driver.ts";
import { RefusedEntry } from "../unpack-files.ts";
import type { StepContext } from "./step-context.ts";
import { StepFault } from "./step-fault.ts";

/**
 * What goes into an archive. Without a `destDir` files are restored where they came from: below `~`, or at the same path
 * relative to the working directory. An absolute `sourceDir` says nothing about that, so it needs a `destDir`.
 */
export function packedContents(contents: readonly Contents[]): readonly PackedContents[] {
  return contents.map(({ sourceDir = ".", destDir = sourceDir, paths = ["**"] }) => {
    const segments = destDir.split("/").filter((segment) => segment !== "" && segment !== ".");
    if (destDir.startsWith("/"))
      throw new StepFault("config", `${destDir} is absolute: say with destDir where its files belong in the archive`);
    if (segments.includes("..")) throw new StepFault("config", `destDir ${destDir} leaves the archive`);
    return { sourceDir, destDir: segments.join("/"), paths };
  });
}

export interface Upload {
  readonly key: string;
  readonly contents: readonly PackedContents[];
  /** Bytes that follow the compressed archive. */
  readonly after?: Uint8Array;
}

/** Packs files and stores them as one object, streamed; false if the object was there already. */
export async function uploadArchive({ pod, workingDir, store, log }: StepContext, upload: Upload, signal: AbortSignal): Promise<boolean> {
  const tar = pod.files.pack({ workingDir, contents: upload.contents }, signal);
  let sizeBytes = 0;
  const compressed = compress(tar, signal);
  const counted = (async function* () {
    for await (const chunk of compressed) {
      sizeBytes += chunk.length;
      yield chunk;
    }
    if (upload.after) yield upload.after;
  })();
  const stored = await store.put(upload.key, counted, { onlyIfAbsent: true, signal });
  if (stored) await log.line(`saved ${sizeBytes} bytes`);
  return stored;
}

/** Fetches an archive and unpacks it; false if there is none. */
export async function downloadArchive(
  { pod, workingDir, store }: StepContext,
  download: { readonly key: string; readonly destDir: string },
  signal: AbortSignal,
): Promise<boolean> {
  const stream = await store.stream(download.key);
  if (!stream) return false;
  const tar = through(stream, createZstdDecompress(), signal);
  try {
    await pod.files.unpack({ workingDir, destDir: download.destDir }, tar, signal);
  } catch (error) {
    if (error instanceof RefusedEntry) throw new StepFault("config", error.message, { cause: error });
    throw error;
  }
  return true;
}

function compress(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return through(tar, createZstdCompress(), signal);
}

/** Pipes bytes through a transformation; a fault on either side ends the other. */
async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const out = new PassThrough();
  const piped = pipeline(Readable.from(source), transform, out, { signal });
  // Awaited below; the reader meets the same fault.
  piped.catch(() => {});
  yield* out;
  await piped;
}
