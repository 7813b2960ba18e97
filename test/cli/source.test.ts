import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packSource } from "../../src/cli/pack-source.ts";
import { runView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, playApi } from "./played-api.ts";

const files: Readonly<Record<string, string>> = {
  ".gitignore": "*.log\n/secret\nbuild/\n",
  ".git/config": "[core]",
  "app.ts": "export {};",
  "debug.log": "noise",
  "secret/key": "hidden",
  "lib/secret": "not at the top, so not meant",
  "build/out.js": "made",
  "lib/.gitignore": "!keep.log\n*.tmp\n/local\n",
  "lib/keep.log": "wanted after all",
  "lib/local": "anchored at the folder of its .gitignore",
  "lib/deep/local": "not there, so not meant",
  "lib/deep/x.tmp": "noise",
  "vendor/module/.git/HEAD": "ref",
  "vendor/module/index.js": "code",
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostler-source-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await chmod(join(folder, "app.ts"), 0o755);
  await symlink("app.ts", join(folder, "link"));
});
afterAll(() => rm(folder, { recursive: true }));

async function entriesOf(archive: Uint8Array) {
  const entries = await unpackTar(zstdDecompressSync(archive));
  return new Map(entries.map(({ header, data }) => [header.name, { ...header, text: data && Buffer.from(data).toString() }]));
}

const expected = [
  ".gitignore",
  "app.ts",
  "lib/",
  "lib/.gitignore",
  "lib/deep/",
  "lib/deep/local",
  "lib/keep.log",
  "lib/secret",
  "link",
  "vendor/",
  "vendor/module/",
  "vendor/module/index.js",
];

describe("a source", () => {
  it("holds what git would look at, with modes and links", async () => {
    const { archive, packed } = await packSource(folder);
    const entries = await entriesOf(new Uint8Array(await new Response(archive).arrayBuffer()));
    expect([...entries.keys()].toSorted()).toEqual(expected);
    expect(entries.get("app.ts")).toMatchObject({ mode: 0o755, text: "export {};", uid: 0 });
    expect(entries.get("link")).toMatchObject({ type: "symlink", linkname: "app.ts" });
    expect(packed().files).toBe(7);
  });

  it("is uploaded before the run that names it", async () => {
    const server = await playApi({
      "POST /sources": always({ status: 201, json: { id: "src1" } }),
      "POST /runs": always({ status: 201, json: runView() }),
    });
    const done = await ostler(["run", "-", "--source", folder], { url: server.url, stdin: "name: x" });
    expect(done).toMatchObject({ code: 0, stderr: expect.stringMatching(/^uploaded 7 files \(\d+ B\) of /) });
    const [upload, create] = server.requests;
    expect(upload?.headers["content-type"]).toBe("application/zstd");
    expect([...(await entriesOf(upload?.body ?? Buffer.alloc(0))).keys()].toSorted()).toEqual(expected);
    expect(JSON.parse(create?.body.toString() ?? "")).toEqual({ name: "x", source: "src1" });
  });

  it("creates nothing where the folder is not there", async () => {
    const server = await playApi({});
    const refused = await ostler(["run", "-", "--source", join(folder, "app.ts")], { url: server.url, stdin: "name: x" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("app.ts: is not a folder") });
    expect(server.requests).toHaveLength(0);
  });
});
