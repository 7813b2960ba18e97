import { until } from "../until.ts";
import type { GoldenFrame, GoldenResponse } from "./golden.ts";
import { type Json, parseJson } from "./json.ts";
import { differences, normalised } from "./resemblance.ts";
import type { WebSocketClient } from "./web-socket-client.ts";

/** A WebSocket that is being played. */
export interface OpenSocket {
  readonly client: WebSocketClient;
  readonly at: number;
  readonly golden: GoldenFrame[];
  response?: GoldenResponse;
  closeCode: number | undefined;
}

/** Sends a frame of the recording, once what was recorded before it has come. */
export async function playFrame(socket: OpenSocket, line: GoldenFrame): Promise<void> {
  if (line.dir !== "client->server") {
    socket.golden.push(line);
    return;
  }
  const wanted = bytesOf(socket.golden);
  await until(
    `what comes before the frame at ${line.t_ms} ms`,
    () => socket.client.frames.reduce((sum, one) => sum + one.payload.length, 0) >= wanted,
    5000,
  ).catch(() => {});
  const payload = line.payload_bytes === undefined ? Buffer.from(line.text ?? "") : Buffer.from(line.payload_bytes);
  socket.client.send(Buffer.concat([Buffer.from([line.channel ?? 0]), payload]));
}

function bytesOf(frames: readonly GoldenFrame[]): number {
  return frames.reduce((sum, line) => sum + payloadOf(line).length + (line.payload === undefined ? 1 : 0), 0);
}

/** How the played socket differs from the recorded one: the answer, the first frame, the bytes of each channel, the end. */
export async function compareSocket(socket: OpenSocket): Promise<readonly string[]> {
  const { client, response, golden } = socket;
  const at = `socket at ${socket.at} ms`;
  if (response?.status !== undefined && response.status !== client.status)
    return [`${at}: ${response.status} recorded, ${client.status} found: ${client.body}`];
  if (client.status !== 101) return plainDifferences(at, response, client.body);
  const code = await Promise.race([client.closed, until("the close", () => false, 10_000).catch(() => undefined)]);
  const wantedProtocol = response?.headers?.["sec-websocket-protocol"];
  const protocol = wantedProtocol === client.protocol || wantedProtocol === undefined ? [] : [`${at}: protocol ${client.protocol}`];
  const close =
    socket.closeCode === undefined || socket.closeCode === code ? [] : [`${at}: closed with ${socket.closeCode} recorded, ${code} found`];
  if (golden.length === 0) return [...protocol, ...close];
  return [...protocol, ...close, ...frameDifferences(at, golden, client)];
}

/** Ends a socket from this side, once all that was recorded has come. Nobody is asked how it ended. */
export async function leaveSocket({ client, golden, at }: OpenSocket, how: "close" | "cut"): Promise<readonly string[]> {
  const wanted = bytesOf(golden);
  const come = () => client.frames.reduce((sum, one) => sum + one.payload.length, 0) >= wanted;
  const missing = await until("all that was recorded", come, 5000).then(
    () => [],
    () => [`socket at ${at} ms: less came than was recorded`],
  );
  if (how === "cut") client.cut();
  else client.close();
  return missing;
}

function plainDifferences(at: string, response: GoldenResponse | undefined, body: string): readonly string[] {
  if (response?.body !== undefined) return differences(response.body, parseJson(body), `${at}: $`);
  return response?.body_text === undefined || response.body_text === body ? [] : [`${at}: ${response.body_text} recorded, ${body} found`];
}

function frameDifferences(at: string, golden: readonly GoldenFrame[], client: WebSocketClient): readonly string[] {
  const raw = golden.some((line) => line.payload !== undefined);
  if (raw) {
    const wanted = golden.map((line) => line.payload ?? "");
    const found = client.frames.map(({ payload }) => payload.toString());
    return JSON.stringify(wanted) === JSON.stringify(found)
      ? []
      : [`${at}: ${JSON.stringify(wanted)} recorded, ${JSON.stringify(found)} found`];
  }
  const first = client.frames[0]?.payload;
  const opening =
    first?.length === 1 && first[0] === golden[0]?.channel ? [] : [`${at}: does not begin with an empty frame on ${golden[0]?.channel}`];
  const channels = [...new Set([...golden.map((line) => line.channel ?? 0), ...client.frames.map(({ payload }) => payload[0] ?? 0)])];
  const content = channels.flatMap((channel) => {
    const wanted = Buffer.concat(golden.filter((line) => line.channel === channel).map(payloadOf));
    const found = Buffer.concat(client.frames.filter(({ payload }) => payload[0] === channel).map(({ payload }) => payload.subarray(1)));
    if (channel === 3) return differences(jsonOf(wanted), jsonOf(found), `${at}: status`);
    return normalised(wanted.toString()) === normalised(found.toString())
      ? []
      : [
          `${at}: channel ${channel}: ${JSON.stringify(wanted.toString())} recorded, ${JSON.stringify(found.toString().slice(0, 300))} found`,
        ];
  });
  return [...opening, ...content];
}

function jsonOf(bytes: Buffer): Json {
  const text = bytes.toString();
  return text.startsWith("{") ? parseJson(text) : text;
}

function payloadOf(line: GoldenFrame): Buffer {
  if (line.base64 !== undefined) return Buffer.from(line.base64, "base64");
  return Buffer.from(line.text ?? line.payload ?? "");
}
