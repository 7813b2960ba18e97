export interface StampedLine {
  /** RFC 3339 with nanoseconds: compares as text. */
  readonly stamp: string;
  /** As it was printed, with its line end if it has one. */
  readonly bytes: Uint8Array;
}

/** The last line that was read: its time, and how many lines of that very time there were. */
export interface LogPlace {
  readonly stamp: string;
  readonly count: number;
}

const newLine = 0x0a;
const space = 0x20;
const stampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)$/;

/** Lines of a log with timestamps. What has none is not of the container, but of the server ("unable to retrieve …"), and is dropped. */
export async function* stampedLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<StampedLine> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(newLine); end >= 0; end = chunk.indexOf(newLine, from)) {
      parts.push(chunk.subarray(from, end + 1));
      yield* parseLine(Buffer.concat(parts.splice(0)));
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  // A log may end without a line end; a cut connection throws before it comes here.
  if (parts.length > 0) yield* parseLine(Buffer.concat(parts));
}

function* parseLine(line: Uint8Array): Generator<StampedLine> {
  const end = line.indexOf(space);
  const stamp = Buffer.from(line.subarray(0, Math.max(end, 0))).toString("latin1");
  if (stampPattern.test(stamp)) yield { stamp, bytes: line.subarray(end + 1) };
}

/** What comes after `place`, of a log that begins before it, or with it. */
export async function* linesAfter(place: LogPlace | undefined, lines: AsyncIterable<StampedLine>): AsyncGenerator<StampedLine> {
  let known = place?.count ?? 0;
  for await (const line of lines) {
    if (place !== undefined && line.stamp < place.stamp) continue;
    if (line.stamp === place?.stamp && known > 0) known -= 1;
    else yield line;
  }
}
