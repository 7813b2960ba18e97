import { EventEmitter, once } from "node:events";

/** A line, or a part of one, as it was written. */
interface Entry {
  readonly nanoseconds: bigint;
  readonly bytes: Buffer;
  readonly endsLine: boolean;
}

/** What a caller wants of a log. */
export interface LogRequest {
  readonly timestamps: boolean;
  /** Whole seconds since the epoch: only lines from then on. */
  readonly sinceSeconds: number | undefined;
  readonly tailLines: number | undefined;
  readonly follow: boolean;
}

/** The runtime cuts longer lines into parts; readers see them whole. */
const partBytes = 16 * 1024;
/** As the node agent's rotation: what is older is gone. */
const keptBytes = 10 * 1024 * 1024;

type Stream = "stdout" | "stderr";

/** The output of one container, line by line. Followers hear of new lines at once. */
export class ContainerLog {
  #entries: Entry[] = [];
  #dropped = 0;
  #bytes = 0;
  #ended = false;
  readonly #pending: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  readonly #changes = new EventEmitter().setMaxListeners(0);

  append(stream: Stream, bytes: Buffer): void {
    let rest = Buffer.concat([this.#pending[stream], bytes]);
    for (;;) {
      const newline = rest.indexOf(10);
      const end = newline >= 0 && newline < partBytes ? newline + 1 : rest.length >= partBytes ? partBytes : 0;
      if (end === 0) break;
      this.#add(rest.subarray(0, end), newline >= 0 && newline < partBytes);
      rest = rest.subarray(end);
    }
    this.#pending[stream] = rest;
    this.#changes.emit("change");
  }

  /** Nothing is added any more; followers end. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#pending[stream].length > 0) this.#add(this.#pending[stream], false);
      this.#pending[stream] = Buffer.alloc(0);
    }
    this.#ended = true;
    this.#changes.emit("change");
  }

  /** The end of the log, newest bytes only. */
  tail(bytes: number): string {
    const text = Buffer.concat(this.#entries.map((entry) => entry.bytes));
    return text.subarray(Math.max(0, text.length - bytes)).toString();
  }

  /** The lines that a request asks for; a follower goes on until the container has ended or the signal fires. */
  async *read(request: LogRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
    let next = this.#firstOf(request);
    let continues = false;
    while (!signal.aborted) {
      const entries = this.#entries.slice(Math.max(0, next - this.#dropped));
      next = this.#dropped + this.#entries.length;
      const chunks: Buffer[] = [];
      for (const entry of entries) {
        if (request.timestamps && !continues) chunks.push(Buffer.from(`${nanoTimestamp(entry.nanoseconds)} `));
        chunks.push(entry.bytes);
        continues = !entry.endsLine;
      }
      if (chunks.length > 0) yield Buffer.concat(chunks);
      if (!request.follow || (this.#ended && next === this.#dropped + this.#entries.length)) return;
      if (next === this.#dropped + this.#entries.length) await once(this.#changes, "change", { signal }).catch(() => {});
    }
  }

  #firstOf({ sinceSeconds, tailLines }: LogRequest): number {
    const since = sinceSeconds === undefined ? 0n : BigInt(sinceSeconds) * 1_000_000_000n;
    const from = this.#entries.findIndex((entry) => entry.nanoseconds >= since);
    const first = from < 0 ? this.#entries.length : from;
    if (tailLines === undefined) return this.#dropped + first;
    let lines = 0;
    let at = this.#entries.length;
    while (at > first) {
      const startsLine = at === this.#entries.length || this.#entries[at - 1]?.endsLine === true;
      if (startsLine && lines === tailLines) break;
      if (startsLine) lines += 1;
      at -= 1;
    }
    return this.#dropped + at;
  }

  #add(bytes: Buffer, endsLine: boolean): void {
    this.#entries.push({ nanoseconds: BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1e6)), bytes, endsLine });
    this.#bytes += bytes.length;
    while (this.#bytes > keptBytes) {
      this.#bytes -= this.#entries.shift()?.bytes.length ?? 0;
      this.#dropped += 1;
    }
  }
}

function nanoTimestamp(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}Z`;
}
