import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { createZstdCompress } from "node:zlib";
import { packTar } from "modern-tar/fs";
import { Failure } from "./failure.ts";
import { createSourceFilter } from "./source-filter.ts";

export interface PackedSource {
  readonly archive: ReadableStream<Uint8Array>;
  /** How much went in; complete once the archive has been read. */
  readonly packed: () => { readonly files: number; readonly bytes: number };
}

/**
 * A folder as a tar stream compressed with zstd, without what its `.gitignore` files leave out. Modes and links are kept, owners
 * are not. Nothing is held in memory; what cannot be read ends the stream with an error.
 */
export async function packSource(folder: string): Promise<PackedSource> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Failure(`--source ${folder}: ${found ? "is not a folder" : "there is no such folder"}`);
  let files = 0;
  let bytes = 0;
  const tar = packTar(folder, {
    filter: createSourceFilter(folder),
    map: (header) => {
      if (header.type === "file") files += 1;
      bytes += header.size;
      return { ...header, uid: 0, gid: 0 };
    },
  });
  const archive = Readable.toWeb(tar.compose(createZstdCompress()));
  return { archive, packed: () => ({ files, bytes }) };
}
