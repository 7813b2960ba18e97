/** Pieces between a socket that gives them when it likes and a reader that takes them when it likes. One reader only. */
export interface ByteQueue<Piece> {
  readonly push: (piece: Piece) => void;
  /** The reader gets what is there, and then the end. The first of `end` and `fail` counts. */
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  readonly isFull: () => boolean;
  readonly chunks: AsyncIterable<Piece>;
}

/** So much waits for a slow reader before the other side is told to wait: memory against stalls. */
const fullBytes = 1024 * 1024;

export function createByteQueue<Piece extends { readonly bytes: Uint8Array }>(flow: {
  readonly full: () => void;
  readonly drained: () => void;
}): ByteQueue<Piece> {
  const pieces: Piece[] = [];
  let size = 0;
  let over: { readonly error?: unknown } | undefined;
  let wake = () => {};

  const finish = (how: { readonly error?: unknown }) => {
    over ??= how;
    wake();
  };

  async function* read(): AsyncGenerator<Piece> {
    for (;;) {
      const piece = pieces.shift();
      if (piece) {
        const wasFull = size >= fullBytes;
        size -= piece.bytes.length;
        if (wasFull && size < fullBytes) flow.drained();
        yield piece;
      } else if (over) {
        if ("error" in over) throw over.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  return {
    push: (piece) => {
      if (over) return;
      const wasFull = size >= fullBytes;
      pieces.push(piece);
      size += piece.bytes.length;
      if (!wasFull && size >= fullBytes) flow.full();
      wake();
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    isFull: () => size >= fullBytes,
    chunks: { [Symbol.asyncIterator]: read },
  };
}
