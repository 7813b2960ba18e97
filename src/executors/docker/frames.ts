import type { ExecChunk } from "../pod-helper/pod-exec.ts";

const headerBytes = 8;

/**
 * The output of a container or an exec without a terminal: frames of a header (stream, three zeros, length as 32 bits) and bytes.
 * Ends where the stream does, also in the middle of a frame. Reads no further than its caller asks.
 */
export async function* readFrames(stream: AsyncIterable<string | Buffer>): AsyncGenerator<ExecChunk> {
  let header = Buffer.alloc(0);
  let left = 0;
  let channel: ExecChunk["channel"] = "stdout";
  for await (const data of stream) {
    let bytes = typeof data === "string" ? Buffer.from(data) : data;
    while (bytes.length > 0) {
      if (left === 0) {
        const taken = Math.min(headerBytes - header.length, bytes.length);
        header = Buffer.concat([header, bytes.subarray(0, taken)]);
        bytes = bytes.subarray(taken);
        if (header.length < headerBytes) continue;
        channel = header[0] === 2 ? "stderr" : "stdout";
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const body = bytes.subarray(0, left);
      left -= body.length;
      bytes = bytes.subarray(body.length);
      yield { channel, bytes: body };
    }
  }
}
