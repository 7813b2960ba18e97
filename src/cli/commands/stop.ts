import type { Command } from "commander";
import { endRun } from "../end-run.ts";
import { findRun } from "../find-run.ts";
import type { Open } from "../open.ts";

export function configure(command: Command, open: Open): void {
  command
    .argument("<run>", "RUN")
    .option("--force", "also stop tasks that run whatever happens")
    .action(async (text: string, { force = false }: { readonly force?: boolean }) => {
      const session = open();
      await endRun(session, await findRun(session, text), force);
    });
}
