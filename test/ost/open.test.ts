import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/ost/open.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describe("opening object storage", () => {
  it("makes the folder of a file URL, whatever characters are in it", async () => {
    const folder = join(await temporaryFolder(), "a b%ü");
    const store = await openStore(pathToFileURL(folder).href);
    await store.put("k", Buffer.from("x"));
    expect(await (await openStore(`${pathToFileURL(folder).href}/`)).get("k")).toBeDefined();
  });

  it.each([
    ["s3://bucket/prefix", "later release"],
    ["file://host/folder", "three slashes"],
    ["/var/lib/ostler", "file:///"],
    ["http://x/y", "file:///"],
  ])("refuses %s with a plain sentence", async (url, why) => {
    await expect(openStore(url)).rejects.toThrow(why);
  });

  it("says that it cannot make its folder", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    await expect(openStore(pathToFileURL(join(file, "below")).href)).rejects.toMatchObject({
      code: "ost_unavailable",
      message: "object storage cannot open its folder: a file is where a folder should be",
    });
  });
});
