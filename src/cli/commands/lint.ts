import type { Command } from "commander";
import { OstlerError } from "../../errors.ts";
import { exitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import type { Open } from "../open.ts";
import { parseSource, readSource } from "../read-definition.ts";
import type { Session } from "../session.ts";
import { dataText } from "../show.ts";

interface Location {
  readonly file: string;
  /** Where in the definition (`tasks.build.depends`); empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export function configure(command: Command, open: Open): void {
  command
    .argument("<file...>", "YAML or JSON; - for stdin")
    .addHelpText("after", "\nPrints `file:path: message` for everything that is wrong; exits with 5 if anything is. Needs no server.")
    .action(async (files: readonly string[]) => {
      const session = open();
      const found = (await Promise.all(files.map((file) => lintFile(session, file)))).flat();
      const { format, print, say } = session;
      if (format === "json" || format === "yaml") print(await dataText(format, found));
      else for (const { file, path, message } of found) print(path === "" ? `${file}: ${message}` : `${file}:${path}: ${message}`);
      if (found.length > 0) return open.exitWith(exitCode.setupError);
      say(files.length === 1 ? `${files[0]} is fine` : `${files.length} files are fine`);
    });
}

async function lintFile({ shell }: Session, file: string): Promise<readonly Location[]> {
  const [{ parseDefinition }, { checkDefinition }] = await Promise.all([
    import("../../runs/parse-definition.ts"),
    import("../../runs/check-definition.ts"),
  ]);
  const text = await readSource(file, shell.stdin);
  try {
    return checkDefinition(parseDefinition(parseSource(file, text)), { allowPod: true }).map((fault) => ({ file, ...fault }));
  } catch (error) {
    if (error instanceof Failure) return [{ file, path: "", message: error.message.replace(`${file}: `, "") }];
    if (!(error instanceof OstlerError)) throw error;
    return locationsOf(error).map((location) => ({ file, ...location }));
  }
}

/** A refused definition carries what is wrong and where. */
function locationsOf({ message, details }: OstlerError): readonly Omit<Location, "file">[] {
  const { locations } = details;
  if (!Array.isArray(locations)) return [{ path: "", message }];
  return locations.map(({ path, message: why }: Omit<Location, "file">) => ({ path, message: why }));
}
