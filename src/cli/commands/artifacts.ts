import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { Artifact } from "../../client/artifacts.ts";
import type { RunView } from "../../runs/view.ts";
import { exitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { findRun, findTask } from "../find-run.ts";
import type { Open } from "../open.ts";
import { quoted, referenceOf } from "../reference-text.ts";
import type { Session } from "../session.ts";
import { showList } from "../show.ts";
import { write } from "../terminal.ts";
import { formatSize } from "../text/size.ts";

export function configure(command: Command, open: Open): void {
  command
    .command("list")
    .alias("ls")
    .description("list what the tasks of a run have saved")
    .argument("<run>", "RUN")
    .action(async (text: string) => {
      const session = open();
      const run = await findRun(session, text);
      const { artifacts } = await session.client.artifacts.list(run.id, session.signal);
      await showList(session, {
        rows: artifacts,
        value: artifacts,
        name: ({ task, name }) => `${task}/${name}`,
        empty: "no artifacts",
        columns: [
          { title: "TASK", text: ({ task }) => task },
          { title: "NAME", text: ({ name }) => name },
          { title: "SIZE", text: ({ sizeBytes }) => formatSize(sizeBytes) },
          { title: "CREATED", text: ({ createdAt }) => createdAt },
        ],
      });
    });

  command
    .command("get")
    .description("fetch an artifact and unpack it")
    .argument("<run[/task[/name]]>", "RUN/TASK/NAME; RUN or RUN/TASK where there is only one")
    .option("--to <folder>", "unpack into this folder (default: one of the artifact's name)")
    .option("--tar <file>", "write the tar archive instead of unpacking it; - for stdout")
    .action(async (text: string, flags: { readonly to?: string; readonly tar?: string }) => {
      const session = open();
      const { run, task, step: name } = await findTask(session, text);
      const artifact = await choose(session, run, { task: task?.name, name });
      const stream = await session.client.artifacts.read(run.id, artifact, session.signal);
      if (flags.tar === undefined) await unpack(session, stream, flags.to ?? artifact.name);
      else await save(session, stream, flags.tar);
    });
}

interface Wanted {
  readonly task: string | undefined;
  readonly name: string | undefined;
}

async function choose({ client, signal }: Session, run: RunView, { task, name }: Wanted): Promise<Artifact> {
  const { artifacts } = await client.artifacts.list(run.id, signal);
  const fits = artifacts.filter((one) => (task === undefined || one.task === task) && (name === undefined || one.name === name));
  const [only, ...others] = fits;
  const reference = referenceOf(run);
  if (only && others.length === 0) return only;
  const known = (only ? fits : artifacts)
    .slice(0, 20)
    .map((one) => `ostler artifacts get ${quoted(`${reference}/${one.task}/${one.name}`)}`);
  if (only) throw new Failure(`${reference} has several such artifacts; say which`, { exitCode: exitCode.usage, hints: known });
  throw new Failure(`${reference} has no such artifact`, { exitCode: exitCode.notFound, hints: known });
}

/** The unpacker refuses entries, and targets of links, that would leave the folder. */
async function unpack({ say, signal }: Session, stream: ReadableStream<Uint8Array>, folder: string): Promise<void> {
  const { unpackTar } = await import("modern-tar/fs");
  let files = 0;
  const count = (header: { readonly type?: string }) => {
    if (header.type === "file") files += 1;
    return true;
  };
  await mkdir(folder, { recursive: true });
  await pipeline(Readable.fromWeb(stream), unpackTar(folder, { filter: count }), { signal });
  say(`unpacked ${files} ${files === 1 ? "file" : "files"} into ${folder}`);
}

async function save({ say, shell, signal }: Session, stream: ReadableStream<Uint8Array>, file: string): Promise<void> {
  if (file === "-") {
    for await (const bytes of stream) await write(shell.stdout, bytes, signal);
    return;
  }
  await pipeline(Readable.fromWeb(stream), createWriteStream(file), { signal });
  say(`wrote ${file}`);
}
