import { posix } from "node:path";
import { createTarDecoder } from "modern-tar";
import type { PackedContents, Packing } from "../driver.ts";
import { createMatcher, type Packer, packStream } from "../pack-files.ts";
import { feed } from "./feed.ts";
import { createPodJob } from "./pod-job.ts";
import type { PodTalk } from "./pod-talk.ts";
import { assign, quote, scripts } from "./script.ts";

/** The names of a call of tar: far below what the kernel lets a command line hold. */
const maxNamesBytes = 256 * 1024;

/** A tar stream of what matches in the pod. The pod's own tar reads the files; the executor chooses and renames them. */
export function packInPod(talk: PodTalk, { workingDir, contents }: Packing, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return packStream(async (packer) => {
    for (const content of contents) await packContents(talk, packer, { content, path: podPath(workingDir, content.sourceDir), signal });
  });
}

/** A path as a step in `workingDir` writes it, as one that a script resolves: only `~` is left to it. */
export function podPath(workingDir: string, path: string): string {
  return path.startsWith("/") || path === "~" || path.startsWith("~/") ? path : `${workingDir}/${path}`;
}

interface Source {
  readonly content: PackedContents;
  readonly path: string;
  readonly signal: AbortSignal;
}

async function packContents(talk: PodTalk, packer: Packer, { content, path, signal }: Source): Promise<void> {
  const listing = await talk.ask("step", assign({ path }) + scripts.path + scripts.list, signal);
  const matches = createMatcher(content.paths);
  const names = listing
    .toString()
    .split("\0")
    .map((name) => name.replace(/^\.\//, ""))
    .filter((name) => name !== "" && matches(name));
  for (const batch of batches(names.sort(byFolder))) await packBatch(talk, packer, { content, path, signal, batch });
}

async function packBatch(talk: PodTalk, packer: Packer, source: Source & { readonly batch: readonly string[] }): Promise<void> {
  const { content, path, signal, batch } = source;
  const job = createPodJob(talk);
  const words = batch.map((name) => quote(`./${name}`)).join(" ");
  const work = `${assign({ path })}${scripts.path}_ostler_work() { cd "$_ostler_path" && "$_ostler_b" tar -cf - --no-recursion ${words}\n}\n`;
  const archive = job.run(work, signal);
  const decoder = createTarDecoder({ strict: true });
  const fed = feed(archive, decoder.writable);
  fed.catch(() => {});
  const place = (name: string) => posix.join(content.destDir, name);
  for await (const { header, body } of decoder.readable) {
    const { type, mode = 0, mtime, size, linkname = "" } = header;
    const kept = { name: place(header.name), mode: mode & 0o7777, size: 0, ...(mtime && { mtime }) };
    if (type === "file") await packer.add({ ...kept, type, size }, body);
    else await body.cancel();
    if (type === "directory") await packer.add({ ...kept, name: `${kept.name.replace(/\/$/, "")}/`, type });
    if (type === "symlink") await packer.add({ ...kept, type, linkname });
    if (type === "link") await packer.add({ ...kept, type, linkname: place(linkname) });
  }
  await fed;
  await job.remove(signal);
}

function* batches(names: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const name of names) {
    batch.push(name);
    bytes += Buffer.byteLength(name) + 8;
    if (bytes < maxNamesBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** A folder comes before what is in it. */
function byFolder(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (part !== other) return part < other ? -1 : 1;
  }
  return left.length - right.length;
}
