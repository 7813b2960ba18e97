import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { takeDataFolder } from "../../src/serve/data-folder.ts";
import { newFolder } from "../support/folder.ts";

const holder = join(import.meta.dirname, "fixtures/hold-data-folder.ts");

function newPath(): string {
  return join(newFolder("my data"), "deep", "folder");
}

async function holdElsewhere(path: string) {
  const child = spawn(process.execPath, [holder, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  return child;
}

describe("a data folder", () => {
  it("is made for its owner only, and can be taken again once released", () => {
    const path = newPath();
    takeDataFolder(path).release();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    takeDataFolder(path).release();
  });

  it("is refused to a second process, which is told who has it and where that listens", async () => {
    const path = newPath();
    const child = await holdElsewhere(path);
    expect(() => takeDataFolder(path)).toThrow(
      new RegExp(`ostler runs already .*: process ${child.pid} on .* listens on http://127.0.0.1:4711$`),
    );
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  it("is free as soon as its holder was killed, whatever that left behind", async () => {
    const path = newPath();
    const child = await holdElsewhere(path);
    child.kill("SIGKILL");
    await once(child, "exit");
    takeDataFolder(path).release();
  });

  it("is refused with the reason where it cannot be made", () => {
    const file = join(newFolder("data"), "file");
    writeFileSync(file, "");
    expect(() => takeDataFolder(join(file, "below"))).toThrow(/cannot use the data folder .*not a directory/);
  });
});
