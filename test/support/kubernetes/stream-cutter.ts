import type { Duplex, Writable } from "node:stream";

/** Where the bytes of a stream to a client go: it may be cut at any of them. */
export interface Outlet {
  readonly write: (bytes: Buffer) => void;
  readonly end: () => void;
  readonly drained: () => Promise<void>;
}

/** Cuts connections on which a watch, a log or an exec is streamed. */
export class StreamCutter {
  #afterBytes: number | undefined;
  readonly #open = new Set<Duplex>();

  /** Streams that begin from now on are cut after so many bytes of what they carry; undefined leaves them whole. */
  cutAfter(bytes: number | undefined): void {
    this.#afterBytes = bytes;
  }

  /** Cuts every stream that is open now. Gives their number. */
  cutAll(): number {
    const count = this.#open.size;
    for (const socket of this.#open) socket.destroy();
    return count;
  }

  get openStreams(): number {
    return this.#open.size;
  }

  /** Guards what is written to a client on a connection. */
  guard(writable: Writable, connection: Duplex): Outlet {
    let left = this.#afterBytes;
    this.#open.add(connection);
    const forget = () => this.#open.delete(connection);
    // A response closes with its connection.
    writable.once("close", forget);
    return {
      write: (bytes) => {
        if (writable.destroyed || connection.destroyed || writable.writableEnded) return;
        if (left === undefined) {
          writable.write(bytes);
          return;
        }
        const part = bytes.subarray(0, left);
        left -= part.length;
        if (left > 0) writable.write(part);
        else writable.write(part, () => connection.destroy());
      },
      end: () => {
        writable.end();
        forget();
      },
      drained: async () => {
        if (!writable.writableNeedDrain || writable.destroyed || connection.destroyed) return;
        await new Promise<void>((resolve) => {
          const ready = () => {
            writable.off("drain", ready);
            writable.off("close", ready);
            resolve();
          };
          writable.once("drain", ready);
          writable.once("close", ready);
        });
      },
    };
  }
}
