import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDirectory } from "../../src/ost/directory.ts";
import { until } from "../support/until.ts";
import { smallDisk } from "./small-disk.ts";
import { storeContract } from "./store-contract.ts";
import { temporaryFolder } from "./temporary-folder.ts";

storeContract("directory", async () => openDirectory(await temporaryFolder()));

function putForEver(root: string): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "put-for-ever.ts"), root], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

describe("a directory store", () => {
  it("leaves no half object when its process is killed in the middle of a put, and the next start cleans up", async () => {
    const root = await temporaryFolder();
    let sawUnfinished = false;
    for (let round = 0; round < 4; round++) {
      const child = putForEver(root);
      await until("an object is there and another is being written", async () => {
        const unfinished = await readdir(join(root, ".tmp")).catch(() => []);
        const finished = await readdir(join(root, "objects")).catch(() => []);
        return unfinished.length > 0 && finished.length > 2 * (round + 1);
      });
      child.kill("SIGKILL");
      await once(child, "exit");
      sawUnfinished ||= (await readdir(join(root, ".tmp"))).length > 0;
      const store = await openDirectory(root);
      expect(await readdir(join(root, ".tmp"))).toEqual([]);
      for (const { key, sizeBytes } of (await store.list({ prefix: "objects/" })).objects) {
        const bytes = Buffer.from((await store.get(key)) ?? []);
        expect(sizeBytes).toBe(64 * 16_384);
        expect(bytes.equals(Buffer.alloc(bytes.length, bytes[0]))).toBe(true);
      }
    }
    expect(sawUnfinished).toBe(true);
  });

  it("cleans at start only what no living process is writing", async () => {
    const root = await temporaryFolder();
    const folder = join(root, ".tmp");
    await mkdir(folder);
    const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, "_");
    const living = `${host}.${process.pid}.aa`;
    const dead = `${host}.4194305.bb`;
    const elsewhere = "another-machine.1.cc";
    const abandoned = "another-machine.1.dd";
    for (const name of [living, dead, elsewhere, abandoned]) await writeFile(join(folder, name), "half");
    await utimes(join(folder, abandoned), 0, 0);
    await openDirectory(root);
    expect((await readdir(folder)).sort()).toEqual([elsewhere, living].sort());
  });

  it("says that the disk is full, leaves nothing half-written, and goes on once there is room", async () => {
    const { root, run, why } = await smallDisk(256 * 1024);
    expect(await run(join(import.meta.dirname, "fill-disk.ts"), root)).toEqual({
      refused: { code: "ost_unavailable", message: `object storage cannot store too-big: ${why}` },
      replaced: "ost_unavailable",
      keptBytes: 100_000,
      tooBig: "absent",
      unfinished: [],
      fits: true,
    });
  });

  it("says that a folder is where a file should be, and the other way round", async () => {
    const store = await openDirectory(await temporaryFolder());
    await store.put("a/b", Buffer.from("x"));
    await expect(store.put("a", Buffer.from("x"))).rejects.toMatchObject({ code: "ost_unavailable" });
    await expect(store.put("a/b/c", Buffer.from("x"))).rejects.toMatchObject({
      code: "ost_unavailable",
      message: "object storage cannot store a/b/c: a file is where a folder should be",
    });
  });

  it("keeps objects from other users of the machine", async () => {
    const root = join(await temporaryFolder(), "ost");
    const store = await openDirectory(root);
    await store.put("a/b", Buffer.from("x"));
    const { stdout } = spawnStat(root);
    expect(await stdout).toBe("700 700 600");
  });

  it("survives that folders are deleted while others put into them", async () => {
    const store = await openDirectory(await temporaryFolder());
    const put = async (i: number) => {
      for (let n = 0; n < 30; n++) {
        await store.put(`shared/folder/${i}`, Buffer.from(`${i}`));
        await store.delete([`shared/folder/${i}`]);
      }
      await store.put(`shared/folder/${i}`, Buffer.from(`${i}`));
    };
    await Promise.all([0, 1, 2, 3].map(put));
    expect((await store.list({ prefix: "shared/" })).objects).toHaveLength(4);
  });

  it("takes an empty folder that a crash has left for nothing", async () => {
    const root = await temporaryFolder();
    const store = await openDirectory(root);
    await store.put("runs/b/run.json", Buffer.from("x"));
    await mkdir(join(root, "runs", "a", "below"), { recursive: true });
    expect(await store.list({ prefix: "runs/", delimiter: "/" })).toEqual({ objects: [], prefixes: ["runs/b/"], next: undefined });
  });

  it("is not confused by files that are not its own", async () => {
    const root = await temporaryFolder();
    const store = await openDirectory(root);
    await mkdir(join(root, "lost+found"));
    await chmod(join(root, "lost+found"), 0o000);
    await store.put("a", Buffer.from("x"));
    expect((await store.list({ prefix: "" })).objects.map((object) => object.key)).toEqual(["a"]);
    expect(await readFile(join(root, "a"), "utf8")).toBe("x");
  });
});

function spawnStat(root: string) {
  const child = spawn("stat", ["-c", "%a", root, join(root, "a"), join(root, "a", "b")], { stdio: ["ignore", "pipe", "inherit"] });
  const stdout = (async () => {
    const parts: Buffer[] = [];
    for await (const part of child.stdout) parts.push(part);
    return Buffer.concat(parts).toString("utf8").trim().split("\n").join(" ");
  })();
  return { stdout };
}
