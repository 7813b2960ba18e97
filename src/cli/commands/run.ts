import type { Command } from "commander";
import { ApiError } from "../../client/api-error.ts";
import { afterCreation } from "../created.ts";
import { collectEnvironment } from "../environment-option.ts";
import { Failure } from "../failure.ts";
import type { Open } from "../open.ts";
import { asObject, parseSource, readSource } from "../read-definition.ts";
import type { Session } from "../session.ts";
import { formatSize } from "../text/size.ts";

interface Flags {
  readonly group?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly source?: string;
  readonly watch?: boolean;
}

export function configure(command: Command, open: Open): void {
  command
    .argument("<file>", "YAML or JSON; - for stdin")
    .option("-g, --group <group>", "the run's group, instead of the file's")
    .option("-e, --env <name=value>", "add to the run's environment, or replace there (repeatable)", collectEnvironment)
    .option("--source <folder>", "upload a folder (without what .gitignore leaves out) for restore_workspace to unpack first")
    .option("-w, --watch", "follow the run, and exit with its fate")
    .action(async (file: string, flags: Flags) => {
      const session = open();
      const definition = asObject(file, parseSource(file, await readSource(file, session.shell.stdin)));
      const source = flags.source === undefined ? {} : { source: await upload(session, flags.source) };
      const run = await create(session, file, { ...withFlags(file, definition, flags), ...source });
      await afterCreation(session, open, { run, watch: flags.watch ?? false });
    });
}

type Unchecked = Readonly<Record<string, unknown>>;

function withFlags(file: string, definition: Unchecked, { group, env }: Flags): Unchecked {
  const environment = definition["environment"] ?? {};
  return {
    ...definition,
    ...(group !== undefined && { group }),
    ...(env && { environment: { ...asObject(`${file}: environment`, environment), ...env } }),
  };
}

async function create({ client, signal }: Session, file: string, definition: Unchecked) {
  try {
    return await client.runs.create(definition, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "invalid_definition") throw error;
    throw new Failure(`${file} was refused: ${error.message}`, { hints: [`see all that is wrong with it: ostler lint ${file}`] });
  }
}

async function upload({ client, say, signal }: Session, folder: string): Promise<string> {
  const { packSource } = await import("../pack-source.ts");
  const { archive, packed } = await packSource(folder);
  const { id } = await client.sources.create(archive, signal);
  const { files, bytes } = packed();
  say(`uploaded ${files} ${files === 1 ? "file" : "files"} (${formatSize(bytes)}) of ${folder}`);
  return id;
}
