import { createTarDecoder, type ParsedTarEntry, type TarHeader } from "modern-tar";
import type { Unpacking } from "../driver.ts";
import { type Packer, packStream } from "../pack-files.ts";
import { leavesByLink, RefusedEntry } from "../unpack-files.ts";
import { type ArchivePlaces, createArchivePlaces } from "./archive-places.ts";
import { feed } from "./feed.ts";
import { createPodJob, type PodJob } from "./pod-job.ts";
import { podPath } from "./pod-packing.ts";
import type { PodTalk } from "./pod-talk.ts";
import { assign, quote, scripts } from "./script.ts";

/** Sent again as a whole when the connection drops, and held in memory until it has arrived. */
const partBytes = 4 * 1024 * 1024;
/** Longer names need an entry of their own before the file's. */
const maxName = 99;
/** As many bytes as the pod's tar can read the length of. */
const maxFileBytes = 8 * 1024 ** 3 - 1;

/**
 * Unpacks a tar stream in the pod. The executor checks the entries and writes them anew under the full paths that they go to;
 * the pod's own tar writes the files, once the whole archive is there and no link leads out of the destination.
 */
export async function unpackInPod(talk: PodTalk, what: Unpacking, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const job = createPodJob(talk);
  const places = createArchivePlaces(await findRoots(talk, podPath(what.workingDir, what.destDir), signal));
  try {
    let parts = 0;
    for await (const part of inParts(packStream((packer) => rewrite(packer, places, tar)))) {
      await sendPart(talk, job, { part, index: parts, signal });
      parts += 1;
    }
    await extract(job, places, { parts, signal });
  } finally {
    await job.remove(signal);
  }
}

async function findRoots(talk: PodTalk, path: string, signal: AbortSignal): Promise<{ readonly home: string; readonly destDir: string }> {
  const script = `${assign({ path })}${scripts.path}
"$_ostler_b" mkdir -p "$_ostler_path" || { echo "refused config the folder $_ostler_path cannot be made" >&2; exit; }
"$_ostler_b" readlink -f "$HOME"; "$_ostler_b" readlink -f "$_ostler_path"`;
  const [home = "/", destDir = "/"] = (await talk.ask("step", script, signal)).toString().split("\n");
  return { home, destDir };
}

async function sendPart(
  talk: PodTalk,
  { name }: PodJob,
  { part, index, signal }: { readonly part: Uint8Array; readonly index: number; readonly signal: AbortSignal },
): Promise<void> {
  const text = assign({ job: name, part: index, count: part.length }) + scripts.part;
  await talk.ask("step", { text, stdin: part }, signal);
}

async function extract(
  job: PodJob,
  places: ArchivePlaces,
  { parts, signal }: { readonly parts: number; readonly signal: AbortSignal },
): Promise<void> {
  const checks = [...places.folders()].map(
    ([root, folders]) => `_ostler_check ${[root, ...[...folders].sort()].map(quote).join(" ")} || return 1\n`,
  );
  const work = `${assign({ parts })}_ostler_folders() {\n:\n${checks.join("")}}\n${scripts.extract}`;
  const running = job.run(work, signal);
  let said = "";
  for (let next = await running.next(); ; next = await running.next()) {
    if (!next.done) {
      said += Buffer.from(next.value);
      continue;
    }
    const left = /^left (.*)$/m.exec(said);
    if (left) throw new RefusedEntry(left[1] ?? "", leavesByLink);
    const { exitCode, complaint } = next.value;
    if (exitCode !== 0) throw new Error(`the archive could not be unpacked in the pod: ${complaint || `tar ended with ${exitCode}`}`);
    return;
  }
}

/** Writes the archive anew: under full paths, folders open until all is in them. */
async function rewrite(packer: Packer, places: ArchivePlaces, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const decoder = createTarDecoder({ strict: true });
  const fed = feed(tar, decoder.writable);
  fed.catch(() => {});
  const folders: TarHeader[] = [];
  try {
    for await (const entry of decoder.readable) {
      const folder = await rewriteOne(packer, places, entry);
      if (folder) folders.push(folder);
    }
    await fed;
  } catch (error) {
    await fed.catch(() => {});
    throw error;
  }
  // Children first: a read-only folder could not be filled, and what is put into one changes its time.
  for (const folder of folders.reverse()) await addNamed(packer, folder);
}

async function rewriteOne(packer: Packer, places: ArchivePlaces, { header, body }: ParsedTarEntry): Promise<TarHeader | undefined> {
  const { type = "file", mode = 0o644, mtime, size, linkname = "" } = header;
  const name = type === "directory" ? `${header.name.replace(/\/+$/, "")}/` : header.name;
  const place = places.place(name);
  const kept = { name: place.path.slice(1), mode: mode & 0o777, size: 0, ...(mtime && { mtime }) };
  if (type !== "file") await body.cancel();
  switch (type) {
    case "directory": {
      const folder = { ...kept, name: `${kept.name}/`, type } as const;
      await addNamed(packer, { ...folder, mode: folder.mode | 0o700 });
      return folder;
    }
    case "file":
      if (size > maxFileBytes) throw new RefusedEntry(header.name, "is larger than 8 GiB");
      await addNamed(packer, { ...kept, type, size }, body);
      return undefined;
    case "symlink":
      places.link(place, linkname);
      await addNamed(packer, { ...kept, type, linkname });
      return undefined;
    case "link":
      await addNamed(packer, { ...kept, type, linkname: places.place(linkname).path.slice(1) });
      return undefined;
    default:
      throw new RefusedEntry(header.name, `is a ${type}, which is not unpacked`);
  }
}

/** busybox knows GNU's way to write long names, and no other. */
async function addNamed(packer: Packer, header: TarHeader, body?: AsyncIterable<Uint8Array>): Promise<void> {
  const { name, linkname = "" } = header;
  const addLong = async (type: "gnu-long-name" | "gnu-long-link-name", text: string) => {
    const bytes = Buffer.from(`${text}\0`);
    await packer.add({ name: "././@LongLink", type, size: bytes.length, mode: 0 }, once(bytes));
  };
  const isLong = (text: string) => Buffer.byteLength(text) > maxName;
  if (isLong(linkname)) await addLong("gnu-long-link-name", linkname);
  if (isLong(name)) await addLong("gnu-long-name", name);
  const short = { ...header, ...(isLong(name) && { name: "long" }), ...(isLong(linkname) && { linkname: "long" }) };
  await packer.add(short, body);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* inParts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < partBytes) continue;
    yield Buffer.concat(chunks);
    chunks = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(chunks);
}
