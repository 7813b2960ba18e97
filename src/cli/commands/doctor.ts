import type { Command } from "commander";
import { exitCode } from "../exit-code.ts";
import { findingLines, findingSummary } from "../finding-lines.ts";
import type { Open } from "../open.ts";
import { dataText } from "../show.ts";

export function configureDoctor(command: Command, open: Open): void {
  command
    .addHelpText("after", "\nExits with 1 if a check failed. `ostler doctor` checks what an executor needs, where it runs.")
    .action(async () => {
      const session = open();
      const report = await session.client.doctor(session.signal);
      const { format, print, say, paint } = session;
      if (format === "json" || format === "yaml") print(await dataText(format, report));
      else for (const line of findingLines(report.checks, paint)) print(line);
      say(findingSummary(report.checks));
      if (report.state === "failed") open.exitWith(exitCode.error);
    });
}
