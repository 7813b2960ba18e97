import { constants, createZstdCompress, createZstdDecompress, type ZstdDecompress } from "node:zlib";

/**
 * Compresses a stream into one zstd frame with a checksum. A fault of the source ends it, and whoever stops reading ends the source.
 */
export async function* compressFrame(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  const feeding = (async () => {
    try {
      for await (const bytes of source) await write(zstd, bytes);
      zstd.end();
    } catch (error) {
      zstd.destroy(asError(error));
    }
  })();
  try {
    yield* zstd;
  } finally {
    zstd.destroy();
    await feeding;
  }
}

/**
 * Decompresses any number of frames, one after another, and skips skippable ones, as `zstd -d` does. (Node's own stream ends
 * silently after the first frame, and would cut archives that other tools wrote in several.) Throws on a truncated or damaged one.
 */
export async function* decompressFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = source[Symbol.asyncIterator]();
  let rest = await nextBytes(input);
  try {
    while (rest) {
      const zstd = createZstdDecompress();
      const feeding = feed(zstd, rest, input);
      // Awaited below; the reader meets the same fault first.
      feeding.catch(() => {});
      try {
        yield* zstd;
      } finally {
        zstd.destroy();
      }
      rest = (await feeding) ?? (await nextBytes(input));
    }
  } finally {
    await input.return?.();
  }
}

/** Feeds one decompressor until a frame ends in the middle of a piece, and answers what is left of that; undefined at the end of all. */
async function feed(zstd: ZstdDecompress, first: Uint8Array, input: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  let given = 0;
  try {
    for (let bytes: Uint8Array | undefined = first; bytes; bytes = await nextBytes(input)) {
      await write(zstd, bytes);
      given += bytes.length;
      const left = given - zstd.bytesWritten;
      if (left > 0) return bytes.subarray(bytes.length - left);
    }
    zstd.end();
    return undefined;
  } catch (error) {
    zstd.destroy(asError(error));
    throw error;
  }
}

async function nextBytes(input: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (let next = await input.next(); !next.done; next = await input.next()) if (next.value.length > 0) return next.value;
  return undefined;
}

function write(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
