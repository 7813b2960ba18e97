import type { Command } from "commander";
import { findRun } from "../find-run.ts";
import type { Open } from "../open.ts";
import { watchRun } from "../watch/watch-run.ts";

export function configure(command: Command, open: Open): void {
  command
    .argument("<run>", "RUN")
    .addHelpText("after", "\nA terminal shows a live tree, a pipe one line per change. Ctrl-C detaches: the run goes on.")
    .action(async (text: string) => {
      const session = open();
      open.exitWith(await watchRun(session, await findRun(session, text)));
    });
}
