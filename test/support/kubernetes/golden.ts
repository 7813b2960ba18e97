import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "./json.ts";

const at = { t_ms: z.number() };
const Headers = z.record(z.string(), z.string()).optional();
const Body = z.json().optional();

/** A line of a recording of a real cluster (its format is told in golden/README.md). */
const GoldenLine = z.discriminatedUnion("kind", [
  z.object({ ...at, kind: z.literal("about"), text: z.string() }),
  z.object({ ...at, kind: z.literal("note"), text: z.string() }),
  z.object({
    ...at,
    kind: z.literal("request"),
    method: z.string(),
    path: z.string(),
    headers: Headers,
    body: Body,
    body_text: z.string().optional(),
    stream: z.string().optional(),
  }),
  z.object({
    ...at,
    kind: z.literal("response"),
    status: z.number().optional(),
    headers: Headers,
    body: Body,
    body_text: z.string().optional(),
    stream: z.string().optional(),
  }),
  z.object({ ...at, kind: z.literal("body"), body: Body }),
  z.object({ ...at, kind: z.literal("watch-event"), type: z.string(), object: z.json(), stream: z.string().optional() }),
  z.object({ ...at, kind: z.literal("chunk"), stream: z.string(), text: z.string() }),
  z.object({
    ...at,
    kind: z.literal("ws-frame"),
    dir: z.enum(["server->client", "client->server"]).optional(),
    opcode: z.string(),
    channel: z.number().optional(),
    text: z.string().optional(),
    base64: z.string().optional(),
    payload: z.string().optional(),
    payload_bytes: z.array(z.number()).optional(),
  }),
  z.object({ ...at, kind: z.literal("ws-close"), code: z.number() }),
  z.object({ ...at, kind: z.literal("ws-error"), message: z.string() }),
  z.object({ ...at, kind: z.literal("stream-end"), stream: z.string().optional(), how: z.string() }),
  z.object({ ...at, kind: z.literal("result") }),
  z.object({ ...at, kind: z.literal("event"), reason: z.string(), message: z.string(), type: z.string() }),
]);
export type GoldenLine = z.infer<typeof GoldenLine>;
export type GoldenRequest = Extract<GoldenLine, { kind: "request" }>;
export type GoldenResponse = Extract<GoldenLine, { kind: "response" }>;
export type GoldenFrame = Extract<GoldenLine, { kind: "ws-frame" }>;

const folder = join(import.meta.dirname, "../../kubernetes/golden");

/** The lines of a recording. */
export function readGolden(name: string): readonly GoldenLine[] {
  const lines = readFileSync(join(folder, `${name}.jsonl`), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => GoldenLine.parse(parseJson(line)));
}
