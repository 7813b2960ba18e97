import type { Command } from "commander";
import { findTask, taskToDecide } from "../find-run.ts";
import type { Open } from "../open.ts";
import { referenceOf } from "../reference-text.ts";

export function configure(command: Command, open: Open): void {
  command
    .argument("<run/task>", "RUN/TASK, or RUN if only one of its tasks waits")
    .option("-m, --message <text>", "kept with the approval")
    .action(async (text: string, { message }: { readonly message?: string }) => {
      const session = open();
      const found = await findTask(session, text);
      const task = taskToDecide(found, "approve");
      await session.client.runs.approve(found.run.id, task, message === undefined ? {} : { message }, session.signal);
      session.say(`approved ${referenceOf(found.run)}/${task}`);
    });
}
