import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { packTar, type TarEntry } from "modern-tar";

/** The images that every daemon of a test has. They are made here, from Debian's static busybox: no registry is needed. */
export const images = {
  /** A shell and all of busybox's programs. */
  busybox: "ostler-test/busybox:1",
  /** The same as user 1000, whose home and working folder is `/work`. */
  nonRoot: "ostler-test/non-root:1",
  /** No shell: one program, `/bin/cat`. */
  bare: "ostler-test/bare:1",
  /** Its entrypoint serves `/www`, with an `index.html` that says `served`, on port 8080. */
  server: "ostler-test/server:1",
} as const;

interface Recipe {
  readonly entries: readonly TarEntry[];
  /** What a Dockerfile would say. */
  readonly changes: readonly string[];
}

/** True if the daemon answers. */
export async function pingDocker(socketPath: string): Promise<boolean> {
  const answer = await send(socketPath, "GET /_ping").catch(() => undefined);
  return answer?.status === 200;
}

/** Puts all images into the daemon. */
export async function importImages(socketPath: string): Promise<void> {
  const recipes = writeRecipes();
  for (const [name, tag] of Object.entries(images)) {
    const recipe = new Map(Object.entries(recipes)).get(name);
    const [repo = "", version = ""] = tag.split(":");
    const query = new URLSearchParams({ fromSrc: "-", repo, tag: version });
    for (const change of recipe?.changes ?? []) query.append("changes", change);
    const answer = await send(socketPath, `POST /images/create?${query}`, await packTar([...(recipe?.entries ?? [])]));
    if (answer.status !== 200 || answer.body.includes("errorDetail")) throw new Error(`the image ${tag} was refused: ${answer.body}`);
  }
}

function writeRecipes(): Readonly<Record<keyof typeof images, Recipe>> {
  const path = ["/bin/busybox", "/usr/bin/busybox"].find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error("there is no static busybox (Debian: busybox-static)");
  const binary = readFileSync(path);
  const applets = execFileSync(path, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const base = [folder("bin"), folder("etc"), folder("root"), { ...folder("tmp", 0o1777) }, users];
  const links = applets.filter((name) => name !== "busybox").map((name) => link(`bin/${name}`, "busybox"));
  const system = [...base, file("bin/busybox", binary, 0o755), ...links];
  return {
    busybox: { entries: system, changes: ['CMD ["/bin/sh"]'] },
    nonRoot: {
      entries: [...system, { header: { ...folder("work").header, uid: 1000, gid: 1000 } }],
      changes: ["USER 1000:1000", "WORKDIR /work", "ENV HOME=/work", 'CMD ["/bin/sh"]'],
    },
    bare: { entries: [...base, file("bin/cat", binary, 0o755)], changes: ['CMD ["/bin/cat"]'] },
    server: {
      entries: [...system, folder("www"), file("www/index.html", "served\n", 0o644)],
      changes: ["EXPOSE 8080/tcp", 'ENTRYPOINT ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]'],
    },
  };
}

const users = file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000:worker:/work:/bin/sh\n", 0o644);

function folder(name: string, mode = 0o755): TarEntry {
  return { header: { name: `${name}/`, type: "directory", size: 0, mode } };
}

function file(name: string, body: Uint8Array | string, mode: number): TarEntry {
  return { header: { name, type: "file", size: Buffer.byteLength(body), mode }, body };
}

function link(name: string, linkname: string): TarEntry {
  return { header: { name, type: "symlink", size: 0, linkname } };
}

/** One request to a daemon, as the line that begins it. */
async function send(socketPath: string, line: string, body?: Uint8Array): Promise<{ readonly status: number; readonly body: string }> {
  const [method = "", path = ""] = line.split(" ");
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, timeout: 20_000, agent: false }, (answer) => {
      text(answer).then((read) => resolve({ status: answer.statusCode ?? 0, body: read }), reject);
    });
    sent.on("error", reject).on("timeout", () => sent.destroy(new Error(`dockerd did not answer ${line}`)));
    sent.end(body);
  });
}
