import type { Command } from "commander";
import type { Open } from "../open.ts";
import { configureDeadLetters } from "./dead-letters.ts";
import { configureDoctor } from "./doctor.ts";

/** To add a noun: a line here, and its file beside this one. */
export function configure(command: Command, open: Open): void {
  configureDeadLetters(
    command.command("dead-letters").description("messages that were put aside, since nobody could decide on them"),
    open,
  );
  configureDoctor(
    command.command("doctor").description("check what the server depends on: Redis, object storage, schedulers, executors"),
    open,
  );
}
