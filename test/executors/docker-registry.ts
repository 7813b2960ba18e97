import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { packTar } from "modern-tar";
import { type Docker, relayToDocker } from "../support/dockerd.ts";
import { until } from "../support/until.ts";

export interface TestRegistry {
  /** As images name it. */
  readonly host: string;
  /** Method and path of each request so far, and whether its login was right. */
  readonly asked: readonly string[];
  /** From now on manifests are answered with this status, 0 for the right answer. */
  readonly breakWith: (status: number) => void;
  readonly close: () => void;
}

export interface TestImage {
  readonly arch: string;
  readonly login: { readonly username: string; readonly password: string };
  /** The layer comes in small pieces until this holds. */
  readonly isSlowUntil: () => boolean;
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const pieceBytes = 16_384;

/** A registry with one image, `team/tool:1`, whose `/hello` says `hello`; only its login may read it. */
export async function startRegistry(docker: Docker, image: TestImage): Promise<TestRegistry> {
  const layer = await packTar([
    { header: { name: "hello", type: "file", size: 6, mode: 0o644 }, body: "hello\n" },
    { header: { name: "padding", type: "file", size: 16_000_000, mode: 0o644 }, body: new Uint8Array(16_000_000) },
  ]);
  const config = JSON.stringify({
    architecture: image.arch,
    os: "linux",
    config: { Cmd: ["/none"] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.docker.container.image.v1+json", size: config.length, digest: digestOf(config) },
    layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar", size: layer.length, digest: digestOf(layer) }],
  });
  const right = `Basic ${Buffer.from(`${image.login.username}:${image.login.password}`).toString("base64")}`;
  const asked: string[] = [];
  let broken = 0;

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? "";
    const isKnown = request.headers.authorization === right;
    asked.push(`${request.method} ${path} ${isKnown}`);
    if (!isKnown) {
      refuse(response.setHeader("www-authenticate", 'Basic realm="test"'), 401, "UNAUTHORIZED");
    } else if (path === "/v2/") {
      response.end("{}");
    } else if (path === `/v2/team/tool/blobs/${digestOf(config)}`) {
      response.end(config);
    } else if (path === `/v2/team/tool/blobs/${digestOf(layer)}`) {
      response.setHeader("content-length", layer.length);
      Readable.from(slowly(layer, image.isSlowUntil)).pipe(response);
    } else if (path.includes("/manifests/") && broken !== 0) {
      refuse(response, broken, "UNAVAILABLE");
    } else if (/^\/v2\/team\/tool\/manifests\/(1|sha256:\w+)$/.test(path)) {
      const headers = { "content-type": manifestType, "content-length": manifest.length, "docker-content-digest": digestOf(manifest) };
      response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : manifest);
    } else {
      refuse(response, 404, "MANIFEST_UNKNOWN");
    }
  };

  const folder = mkdtempSync(join(tmpdir(), "ostler-registry-"));
  const socketPath = join(folder, "registry.sock");
  const server = createServer(answer).listen(socketPath);
  const relay = await relayToDocker(docker, socketPath);
  return {
    host: `127.0.0.1:${relay.port}`,
    asked,
    breakWith: (status) => {
      broken = status;
    },
    close: () => {
      relay.close();
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ errors: [{ code, message: code }] }));
}

async function* slowly(bytes: Uint8Array, isOver: () => boolean): AsyncGenerator<Uint8Array> {
  let sent = 0;
  while (sent < bytes.length && !isOver()) {
    yield bytes.subarray(sent, sent + pieceBytes);
    sent += pieceBytes;
    // One look at a condition that holds the second time: the pace of `until`.
    let looks = 0;
    await until("it is time for the next piece", () => looks++ > 0);
  }
  if (sent < bytes.length) yield bytes.subarray(sent);
}

function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
