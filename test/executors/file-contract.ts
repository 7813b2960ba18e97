import { createHash } from "node:crypto";
import { packTar, type TarEntry } from "modern-tar";
import { expect, it } from "vitest";
import type { PodHandle } from "../../src/executors/driver.ts";

const signal = new AbortController().signal;

/** What every driver must hold whose pods have files. */
export function fileContract(start: () => Promise<PodHandle>): void {
  const run = async (pod: PodHandle, index: number, command: string) => {
    await pod.startStep({ index, command, shell: ["/bin/sh", "-e"], workingDir: "~", environment: {} }, signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of pod.followOutput(index, 0, signal)) chunks.push(chunk);
    const output = Buffer.concat(chunks).toString();
    expect(await pod.waitStep(index, signal), output).toMatchObject({ type: "exited", exitCode: 0 });
    return output;
  };
  const archive = async (...entries: TarEntry[]) => [await packTar(entries)];
  const pour = async function* (parts: readonly Uint8Array[]) {
    yield* parts;
  };
  const unpack = async (pod: PodHandle, entries: readonly TarEntry[]) =>
    pod.files.unpack({ workingDir: "~", destDir: "in" }, pour(await archive(...entries)), signal);
  const file = (name: string, body = "x"): TarEntry => ({ header: { name, type: "file", size: body.length, mode: 0o640 }, body });
  const link = (name: string, linkname: string): TarEntry => ({ header: { name, type: "symlink", size: 0, linkname } });

  it("moves files from pod to pod with links, modes and names of any length", async () => {
    const from = await start();
    const long = `${"d".repeat(120)}/${"e".repeat(120)}/${"f".repeat(120)}`;
    await run(
      from,
      0,
      `mkdir -p out/sub out/ro out/skip ${long.replace(/^/, "out/").replace(/\/f+$/, "")}; echo deep >out/${long}
echo plain >out/sub/a; chmod 750 out/sub/a; ln out/sub/a out/sub/b; ln -s sub/a out/link; echo "it's" >"out/an odd \\$name"
echo r >out/ro/file; chmod 555 out/ro; echo no >out/skip/file; head -c 300000 /dev/zero >out/big`,
    );
    const contents = [{ sourceDir: "out", destDir: "got", paths: ["**", "!skip"] }];
    const to = await start();
    await to.files.unpack({ workingDir: "~", destDir: "." }, from.files.pack({ workingDir: "~", contents }, signal), signal);
    const seen = await run(
      to,
      0,
      `cd got; cat ${long} link "an odd \\$name" ro/file; wc -c <big; ls skip 2>/dev/null || :
[ sub/a -ef sub/b ] && echo same; stat -c '%a %F' sub/a ro; readlink link; chmod 755 ro`,
    );
    expect(seen).toBe("deep\nplain\nit's\nr\n300000\nsame\n750 regular file\n555 directory\nsub/a\n");
  });

  it("packs nothing where nothing matches, and from a folder that is missing", async () => {
    const pod = await start();
    const contents = [{ sourceDir: "nowhere", destDir: ".", paths: ["**"] }];
    let bytes = 0;
    for await (const chunk of pod.files.pack({ workingDir: "~", contents }, signal)) bytes += chunk.length;
    expect(bytes % 512).toBe(0);
  });

  it("refuses archives that would leave their destination, by name and by link", async () => {
    const pod = await start();
    await run(pod, 0, "mkdir -p in outside; ln -s ../outside in/there");
    const refused = /leave its destination/;
    await expect(unpack(pod, [file("../escaped")])).rejects.toThrow(refused);
    await expect(unpack(pod, [file("/tmp/escaped")])).rejects.toThrow(refused);
    await expect(unpack(pod, [link("out", ".."), file("out/escaped")])).rejects.toThrow(refused);
    await expect(unpack(pod, [link("a", "b"), link("b", "../outside"), file("a/escaped")])).rejects.toThrow(refused);
    await expect(unpack(pod, [file("there/escaped")])).rejects.toThrow(refused);
    expect(await run(pod, 1, "ls outside; ls escaped 2>/dev/null || :")).toBe("");
  });

  it("unpacks through links that stay in the destination, and replaces what is there", async () => {
    const pod = await start();
    await run(pod, 0, "mkdir -p in/real; ln -s real in/alias; echo old >in/real/f; ln -s /etc/passwd in/real/g");
    await unpack(pod, [
      file("alias/f", "new"),
      file("alias/g", "own"),
      link("more", "real"),
      file("more/h", "h"),
      file("~/home", "at home"),
    ]);
    expect(await run(pod, 1, "cat in/real/f in/real/g in/real/h home; grep -c root /etc/passwd")).toBe("newownhat home1\n");
  });

  it("reads files and their digests, and tells which are not there", async () => {
    const pod = await start();
    await run(pod, 0, "printf 'a\\0b\\n' >file; : >empty");
    expect(Buffer.from((await pod.files.read("file", 100, signal)) ?? [])).toEqual(Buffer.from("a\0b\n"));
    expect((await pod.files.read("~/file", 1, signal))?.length).toBe(2);
    expect((await pod.files.read("empty", 10, signal))?.length).toBe(0);
    expect(await pod.files.read("missing", 10, signal)).toBeUndefined();
    expect(await pod.files.sha256("file", signal)).toBe(createHash("sha256").update("a\0b\n").digest("hex"));
    expect(await pod.files.sha256("missing", signal)).toBeUndefined();
  });
}
