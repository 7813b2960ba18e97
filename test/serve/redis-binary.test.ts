import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findRedisBinary } from "../../src/serve/redis-binary.ts";
import { newFolder } from "../support/folder.ts";

/** A folder with programs that print what they are told. */
function folderWith(programs: Readonly<Record<string, string>>): string {
  const folder = newFolder("path");
  for (const [name, output] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${output}'\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe("the server for a private Redis", () => {
  it("is Valkey before Redis, wherever they are on the path", async () => {
    const [redis, valkey] = [
      folderWith({ "redis-server": "Redis server v=7.4.1 sha=0" }),
      folderWith({ "valkey-server": "Server v=8.1.0 sha=0" }),
    ];
    expect(await findRedisBinary(`${redis}:${valkey}`)).toBe(join(valkey, "valkey-server"));
    expect(await findRedisBinary(redis)).toBe(join(redis, "redis-server"));
  });

  it("is not one that is too old, where a newer one comes later", async () => {
    const [old, good] = [
      folderWith({ "redis-server": "Redis server v=6.0.16 sha=0" }),
      folderWith({ "redis-server": "Redis server v=7.0.15 sha=0" }),
    ];
    expect(await findRedisBinary(`${old}::/no/such/folder:${good}`)).toBe(join(good, "redis-server"));
  });

  it("is told to be missing with the line to type", async () => {
    const folder = newFolder("path");
    mkdirSync(join(folder, "redis-server"));
    writeFileSync(join(folder, "valkey-server"), "not a program");
    await expect(findRedisBinary(folder)).rejects.toThrow(/found neither .*apt-get install redis-server/);
  });

  it("is told to be too old with its version", async () => {
    await expect(findRedisBinary(folderWith({ "redis-server": "Redis server v=6.0.16 sha=0" }))).rejects.toThrow(
      /redis-server is 6\.0\.16/,
    );
    await expect(findRedisBinary(folderWith({ "redis-server": "hello" }))).rejects.toThrow(/of an unknown version/);
  });
});
