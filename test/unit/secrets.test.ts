import { randomBytes } from "node:crypto";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSealer, loadSecretKey } from "../../src/secrets.ts";
import { newFolder } from "../support/folder.ts";

describe("a sealer", () => {
  const sealer = createSealer(randomBytes(32));

  it("opens what it sealed, empty and not ASCII alike", () => {
    for (const text of ["", "hunter2", "schlüssel 🔑\nzwei"]) expect(sealer.open(sealer.seal(text))).toBe(text);
  });

  it("never shows the text, nor that two texts are the same", () => {
    const [one, two] = [sealer.seal("hunter2"), sealer.seal("hunter2")];
    expect(one).toMatch(/^v1:[A-Za-z0-9_-]+$/);
    expect(one).not.toBe(two);
    expect(Buffer.from(one.slice(3), "base64url").toString("latin1")).not.toContain("hunter2");
  });

  it("opens nothing that was altered, cut, sealed with another key, or never sealed", () => {
    const sealed = sealer.seal("hunter2");
    const altered = sealed.slice(0, 10) + (sealed[10] === "A" ? "B" : "A") + sealed.slice(11);
    for (const text of [altered, sealed.slice(0, -4), createSealer(randomBytes(32)).seal("x"), "hunter2", "v1:", ""]) {
      expect(() => sealer.open(text)).toThrow();
    }
  });

  it("takes only keys of 32 bytes", () => {
    expect(() => createSealer(randomBytes(16))).toThrow(/32 bytes/);
  });
});

describe("the secret key", () => {
  it("is made once, readable by its owner only, and the same for all that start at once", async () => {
    const dataDir = join(newFolder("secrets"), "made", "for it");
    for (let round = 0; round < 20; round++) {
      await rm(join(dataDir, "secret-key"), { force: true });
      const keys = await Promise.all(Array.from({ length: 8 }, () => loadSecretKey({ dataDir })));
      expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
    }
    expect((await stat(join(dataDir, "secret-key"))).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(["secret-key"]);
  });

  it("is the configured one where there is one, as digits or base64", async () => {
    const key = randomBytes(32);
    const dataDir = newFolder("secrets");
    expect(Buffer.from(await loadSecretKey({ dataDir, secretKey: key.toString("hex") }))).toEqual(key);
    expect(Buffer.from(await loadSecretKey({ dataDir, secretKey: key.toString("base64") }))).toEqual(key);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it("is not made anew over a damaged file", async () => {
    const dataDir = newFolder("secrets");
    await writeFile(join(dataDir, "secret-key"), "short");
    await expect(loadSecretKey({ dataDir })).rejects.toThrow(/does not hold a key/);
  });
});
