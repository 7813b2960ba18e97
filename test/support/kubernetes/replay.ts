import type { IncomingMessage } from "node:http";
import { text as readText } from "node:stream/consumers";
import { until } from "../until.ts";
import type { ClusterUnderTest, PlainResponse } from "./cluster-under-test.ts";
import type { GoldenLine, GoldenRequest, GoldenResponse } from "./golden.ts";
import { isJsonObject, type Json, parseJson, textAt, valueAt } from "./json.ts";
import type { Names, Script } from "./replay-script.ts";
import { compareSocket, leaveSocket, type OpenSocket, playFrame } from "./replay-socket.ts";
import { differences, normalised } from "./resemblance.ts";
import { isTrue } from "./watch.ts";

interface OpenStream {
  readonly response: IncomingMessage;
  readonly lines: string[];
  ended: boolean;
  /** Lines of the recording that were compared so far. */
  compared: number;
}

/** Plays a recording against a cluster: the same requests in the same order. Gives every difference. */
export async function replay(cluster: ClusterUnderTest, golden: readonly GoldenLine[], script: Script = {}): Promise<readonly string[]> {
  const player = new Player(cluster, golden, script);
  try {
    await script.before?.(cluster);
    return await player.play((await script.names?.(cluster)) ?? {});
  } finally {
    player.close();
  }
}

class Player {
  readonly #cluster: ClusterUnderTest;
  readonly #golden: readonly GoldenLine[];
  readonly #script: Script;
  readonly #found: string[] = [];
  readonly #streams = new Map<string, OpenStream>();
  /** Uids, versions and tokens of the recording, and what this cluster has in their place. */
  readonly #names = new Map<string, string>();
  #socket: OpenSocket | undefined;
  #refusal: Json;
  #skipping = false;
  /** Recordings show events that a request has caused before its answer. */
  readonly #answers: PlainResponse[] = [];

  constructor(cluster: ClusterUnderTest, golden: readonly GoldenLine[], script: Script) {
    this.#cluster = cluster;
    this.#golden = golden;
    this.#script = script;
  }

  async play(names: Names): Promise<readonly string[]> {
    for (const [recorded, here] of Object.entries(names)) this.#names.set(recorded, here);
    const done = new Set<number>();
    for (const line of this.#golden) {
      if (!done.has(line.t_ms)) await this.#script.at?.[line.t_ms]?.(this.#cluster);
      done.add(line.t_ms);
      if (!this.#isLeftOut(line)) await this.#playLine(line);
    }
    await this.#endSocket();
    for (const [name, stream] of this.#streams) {
      const more = stream.lines.slice(stream.compared).filter((line) => !line.includes('"BOOKMARK"'));
      if (more.length > 0 && this.#script.closedEarly?.includes(name) !== true)
        this.#found.push(`stream ${name}: ${more.length} more than recorded: ${more[0]?.slice(0, 300)}`);
    }
    return this.#found;
  }

  /** With a request its answer is left out, with a stream all of it. */
  #isLeftOut(line: GoldenLine): boolean {
    const { leaveOut = {} } = this.#script;
    if ("stream" in line && line.stream !== undefined && leaveOut[line.stream] !== undefined) return true;
    if (line.kind === "request") this.#skipping = leaveOut[line.t_ms] !== undefined;
    return this.#skipping && (line.kind === "request" || line.kind === "response" || line.kind.startsWith("ws-"));
  }

  close(): void {
    for (const { response } of this.#streams.values()) response.destroy();
    this.#socket?.client.cut();
  }

  async #playLine(line: GoldenLine): Promise<void> {
    switch (line.kind) {
      case "request":
        return this.#ask(line);
      case "response":
        return this.#compareResponse(line);
      case "body":
        return this.#compareBody(line.body);
      case "watch-event":
        return this.#compareEvent(line);
      case "chunk":
        return this.#compareChunk(line);
      case "ws-frame":
        if (this.#socket !== undefined) await playFrame(this.#socket, line);
        return;
      case "ws-close":
        if (this.#socket !== undefined) this.#socket.closeCode = line.code;
        if (this.#script.clientEnds?.[this.#socket?.at ?? -1] !== undefined) await this.#endSocket();
        return;
      case "stream-end":
        if (line.how.startsWith("server ended")) await this.#awaitEnd(line.stream ?? "watch", line.t_ms);
        return;
      default:
        return;
    }
  }

  async #ask(line: GoldenRequest): Promise<void> {
    const { method, headers = {} } = line;
    const path = this.#translate(line.path);
    const caller = this.#script.caller?.(line) ?? (headers["authorization"] === undefined ? "admin" : "weak");
    const { authorization: _removed, ...kept } = headers;
    if (headers["upgrade"] === "websocket") {
      await this.#endSocket();
      this.#socket = { client: await this.#cluster.webSocket(path, kept, caller), golden: [], closeCode: undefined, at: line.t_ms };
      return;
    }
    const body = line.body === undefined ? line.body_text : this.#translate(JSON.stringify(line.body));
    const request = { method, path, headers: kept, caller, ...(body === undefined ? {} : { body }) };
    const query = new URL(path, "https://kubernetes").searchParams;
    if (isTrue(query.get("watch")) || path.startsWith("/api/v1/watch/") || line.stream !== undefined) {
      await this.#openStream(line.stream ?? "watch", request);
      return;
    }
    this.#answers.push(await this.#cluster.request(request));
  }

  async #openStream(name: string, request: Parameters<ClusterUnderTest["open"]>[0]): Promise<void> {
    const response = await this.#cluster.open(request);
    if (response.statusCode !== 200) {
      this.#answers.push({ status: response.statusCode ?? 0, headers: response.headers, text: await readText(response) });
      return;
    }
    const stream: OpenStream = { response, lines: [], ended: false, compared: 0 };
    let rest = "";
    response.on("data", (bytes: Buffer) => {
      const parts = (rest + bytes.toString()).split("\n");
      rest = parts.pop() ?? "";
      stream.lines.push(...parts);
    });
    response.on("end", () => {
      if (rest !== "") stream.lines.push(rest);
      stream.ended = true;
    });
    response.on("error", () => {});
    this.#streams.set(name, stream);
  }

  async #compareResponse(line: GoldenResponse): Promise<void> {
    if (this.#answers.length === 0 && this.#socket !== undefined && line.stream === undefined) {
      this.#socket.response = line;
      return;
    }
    const stream = this.#streams.get(line.stream ?? "watch");
    const answer = this.#answers.shift();
    if (answer === undefined) {
      if (stream !== undefined) this.#compare(line, stream.response.statusCode, stream.response.headers, line.body);
      return;
    }
    const body = isJsonText(answer.headers["content-type"]) ? parseJson(this.#liken(answer.text)) : answer.text;
    this.#refusal = body;
    this.#compare(line, answer.status, answer.headers, body);
  }

  /** The body of a stream that was refused comes on a line of its own. */
  #compareBody(golden: Json): void {
    if (this.#refusal !== undefined) this.#found.push(...differences(golden, this.#refusal));
  }

  #compare(line: GoldenResponse, status: number | undefined, headers: IncomingMessage["headers"], body: Json): void {
    const at = `at ${line.t_ms} ms`;
    if (line.status !== undefined && line.status !== status)
      this.#found.push(`${at}: ${line.status} recorded, ${status} found: ${JSON.stringify(body)?.slice(0, 400)}`);
    for (const name of ["content-type", "warning", "retry-after"]) {
      const wanted = line.headers?.[name];
      if (wanted !== undefined && wanted !== headers[name]) this.#found.push(`${at}: ${name}: ${wanted} recorded, ${headers[name]} found`);
    }
    if (line.body !== undefined) {
      this.#learn(line.body, body);
      this.#found.push(...differences(parseJson(this.#liken(JSON.stringify(line.body))), body, `${at}: $`, this.#extent));
    }
    if (line.body_text !== undefined && normalised(this.#liken(line.body_text)) !== normalised(this.#liken(String(body)))) {
      this.#found.push(`${at}: ${JSON.stringify(line.body_text)} recorded, ${JSON.stringify(body)} found`);
    }
  }

  async #compareEvent(line: Extract<GoldenLine, { kind: "watch-event" }>): Promise<void> {
    const name = line.stream ?? "watch";
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    const seen = stream.compared;
    await until(`an event like that at ${line.t_ms} ms`, () => stream.lines.length > seen || stream.ended, 20_000).catch(() => {});
    const text = stream.lines[seen];
    if (text === undefined) {
      this.#found.push(`at ${line.t_ms} ms: no ${line.type} event came: ${JSON.stringify(line.object).slice(0, 200)}`);
      return;
    }
    stream.compared += 1;
    const event = parseJson(this.#liken(text));
    this.#learn(line.object, valueAt(event, "object"));
    const golden = parseJson(this.#liken(JSON.stringify({ type: line.type, object: line.object })));
    this.#found.push(...differences(golden, event, `event at ${line.t_ms} ms: $`, this.#extent));
  }

  async #compareChunk(line: Extract<GoldenLine, { kind: "chunk" }>): Promise<void> {
    const stream = this.#streams.get(line.stream);
    if (stream === undefined) return;
    const wanted = line.text.split("\n").filter((text) => text !== "");
    for (const text of wanted) {
      const is = (found: string) => normalised(this.#liken(found)) === normalised(this.#liken(text));
      await until(`the line ${text}`, () => stream.lines.some(is) || stream.ended).catch(() => {});
      if (!stream.lines.some(is)) this.#found.push(`at ${line.t_ms} ms: ${text} did not come`);
    }
    stream.compared = stream.lines.length;
  }

  async #awaitEnd(name: string, t: number): Promise<void> {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    await until(`the end of ${name}`, () => stream.ended).catch(() => this.#found.push(`at ${t} ms: stream ${name} did not end`));
  }

  async #endSocket(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const how = this.#script.clientEnds?.[socket.at];
    this.#found.push(...(how === undefined ? await compareSocket(socket) : await leaveSocket(socket, how)));
  }

  /** Remembers what stands here for names of the recording. */
  #learn(golden: Json, found: Json): void {
    for (const path of [
      ["metadata", "uid"],
      ["metadata", "resourceVersion"],
      ["metadata", "continue"],
      ["metadata", "name"],
    ]) {
      const recorded = textAt(golden, ...path);
      const here = textAt(found, ...path);
      if (recorded !== undefined && here !== undefined && recorded !== here) this.#names.set(recorded, here);
    }
    const items = valueAt(golden, "items");
    const own = valueAt(found, "items");
    if (Array.isArray(items) && Array.isArray(own)) for (const [index, item] of items.entries()) this.#learn(item, own[index]);
    if (isJsonObject(golden) && golden["name"] !== undefined && golden["resourceVersion"] !== undefined)
      this.#learn({ metadata: golden }, { metadata: found });
  }

  /** A text of the recording with this cluster's names. A version that is not known yet is the present one. */
  #translate(text: string): string {
    const known = text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (uid) => this.#names.get(uid) ?? uid)
      .replaceAll(/"resourceVersion":"(\d+)"/g, (_, version: string) => `"resourceVersion":"${this.#names.get(version) ?? version}"`)
      .replaceAll(/continue=([\w-]+)/g, (_, token: string) => `continue=${this.#names.get(token) ?? token}`)
      .replaceAll(/crud-gen-\w{5}/g, (name) => this.#names.get(name) ?? name);
    return known.replace(
      /resourceVersion=(\d{2,7})(?=&|$)/,
      (_, version: string) => `resourceVersion=${this.#names.get(version) ?? this.#present()}`,
    );
  }

  get #extent() {
    return this.#script.cut === true ? "part" : "whole";
  }

  #liken(text: string): string {
    return (this.#script.alike ?? []).reduce((told, [one, other]) => told.replaceAll(one, other), text);
  }

  #present(): string {
    return String(this.#cluster.simulator?.store.version ?? 0);
  }
}

function isJsonText(contentType: string | undefined): boolean {
  return contentType?.startsWith("application/json") === true;
}
