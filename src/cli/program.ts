import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { ApiError } from "../client/api-error.ts";
import { exitCode, exitCodeOfApiError } from "./exit-code.ts";
import { Failure, Interrupted, usage } from "./failure.ts";
import type { Open } from "./open.ts";
import { createSession, type GlobalFlags } from "./session.ts";
import type { Shell } from "./terminal.ts";
import { local, verbs } from "./verbs.ts";

/** Runs one command line to its end and gives back the exit code. Everything that can go wrong becomes a message on stderr. */
export async function runProgram(shell: Shell): Promise<number> {
  let code: number = exitCode.success;
  const program = new Command("ostler");
  const session = () => createSession(shell, program.opts<GlobalFlags>());
  const open = Object.assign(session, {
    exitWith: (wanted: number) => {
      code = wanted;
    },
  });
  describe(program, shell, open);
  try {
    await program.parseAsync(helpLast(shell.argv), { from: "user" });
    return code;
  } catch (error) {
    return explain(error, shell);
  }
}

function describe(program: Command, shell: Shell, open: Open): void {
  program
    .description("Runs pipelines of containerised tasks, and says at any moment why something is not running.")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "explain a command")
    .addOption(new Option("-o, --output-format <format>", "how to print data").choices(["table", "json", "yaml", "name"]))
    .option("--url <url>", "where the API is (OSTLER_URL, default http://127.0.0.1:7070)")
    .option("--token <token>", "the token to show to the API (better: OSTLER_TOKEN)")
    .helpCommand(false)
    .addHelpText("after", helpAfter)
    .configureHelp({ showGlobalOptions: true, helpWidth: 120 })
    .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: (text) => shell.stderr.write(text), outputError: () => {} })
    .exitOverride();
  for (const { name, summary, group } of verbs) program.command(name).description(summary).helpGroup(group).copyInheritedSettings(program);
  for (const [name, description] of programs) {
    program
      .command(name)
      .helpGroup(local)
      .description(description)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        // bin/ostler.js hands over what begins with the name; this is what has it elsewhere.
        throw usage(`\`${name}\` comes first: ostler ${name} …`);
      });
  }
  // Commands are stubs for the help; the one that is called gets its arguments and options now.
  program.hook("preSubcommand", async (_, command) => {
    const verb = verbs.find(({ name }) => name === command.name());
    (await verb?.load())?.configure(command, open);
  });
}

/** What takes the server's settings instead of the client's, and is a program of its own. */
const programs = [
  ["serve", "run the server (its flags: `ostler serve --help`)"],
  ["doctor", "check what `ostler serve` with the same flags depends on, here and now"],
] as const;

const helpAfter = `
RUN is an id or its beginning, GROUP#NUMBER (/project/web#12, or web#12 where that is unique), @last or @last-failed.

Exit codes: 0 success, 1 error, 2 usage, 3 run failed, 4 stopped or cancelled, 5 setup error, 6 timeout reached, 7 not found,
8 not allowed, 9 conflict, 10 server unavailable, 130 interrupted.

Examples:
  ostler run examples/hello.yaml --watch
  ostler logs -f @last/build
  ostler why @last-failed`;

/** `ostler help run` as `ostler run --help`, which loads what it explains. */
function helpLast(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (argv.length === 0) return ["--help"];
  return first === "help" ? [...rest, "--help"] : argv;
}

function version(): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

function explain(error: unknown, { argv, stderr, signal }: Shell): number {
  const say = (line: string) => stderr.write(`${line}\n`);
  if (error instanceof Interrupted) return error.exitCode;
  if (signal.aborted && signal.reason instanceof Interrupted) return signal.reason.exitCode;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.success;
    // The help has been written already, where a verb is missing.
    if (error.code === "commander.help") return exitCode.usage;
    say(`ostler: ${error.message.replace(/^error: /, "")}`);
    const verb = verbs.find(({ name }) => argv.includes(name));
    say(`  see: ostler ${verb ? `${verb.name} ` : ""}--help`);
    return exitCode.usage;
  }
  if (error instanceof Failure) {
    say(`ostler: ${error.message}`);
    for (const hint of error.hints) say(`  ${hint}`);
    return error.exitCode;
  }
  if (isOfThisMachine(error)) {
    say(`ostler: ${error.message}`);
    return exitCode.error;
  }
  if (!(error instanceof ApiError)) throw error;
  say(`ostler: ${error.message}`);
  for (const hint of hintsFor(error)) say(`  ${hint}`);
  return exitCodeOfApiError(error);
}

/** What the system refuses (a full disk, a folder that is not ours) names the call and the file; its stack tells nobody more. */
function isOfThisMachine(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** What a person can do about an answer, where the message does not say it. */
function hintsFor({ code, details }: ApiError): readonly string[] {
  if (code === "unreachable" && details["cause"] === "ECONNREFUSED") {
    return ["is the server running? start one with `ostler serve`, or name another with --url or OSTLER_URL"];
  }
  if (code === "unauthorized") return ["set OSTLER_TOKEN (or OSTLER_TOKEN_FILE) to a token of that server"];
  const requestId = details["requestId"];
  return code === "internal" && typeof requestId === "string" ? [`the server's log tells more: request ${requestId}`] : [];
}
