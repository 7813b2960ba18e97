import { Readable, Writable } from "node:stream";
import { Command } from "commander";
import type { Open } from "../src/cli/open.ts";
import { runProgram } from "../src/cli/program.ts";
import { verbs } from "../src/cli/verbs.ts";

const head = `# The command line

\`\`\`
ostler run examples/hello.yaml --watch     create a run and follow it
ostler logs -f @last/build                 follow a log, through retries
ostler why @last-failed                    why it waits, failed or was skipped
ostler restart --from-failed @last-failed  keep what succeeded, run the rest again
\`\`\`

Data goes to stdout, talk to stderr. A terminal gets colours (unless \`NO_COLOR\` is set) and a tree that is redrawn in place; a pipe, a
file, or a terminal that cannot redraw (\`TERM=dumb\`) gets one line per change, which begins with its time. \`-o json\` and \`-o yaml\` print
the API's own shapes and nothing else, \`-o name\` only what names a thing in other commands.

**Naming a run.** By its id, or the beginning of one; by \`GROUP#NUMBER\`, such as \`/project/web#12\`, in short \`web#12\` where that is unique;
\`@last\`, \`@last-failed\`. A task is \`RUN/TASK\`, a step \`RUN/TASK/STEP\`: by its number from 0, its name, or \`setup\`. Quote what has blanks.

**Ctrl-C** on \`watch\`, \`run --watch\`, \`wait\` and \`logs -f\` only detaches: the run goes on, and what was typed can be typed again.
A server that goes away is waited for (five minutes), and what happened meanwhile is shown when it is back.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | error |
| 2 | wrong usage or settings |
| 3 | the run failed |
| 4 | the run was stopped or cancelled |
| 5 | the run, or the file, cannot work: setup error |
| 6 | \`--timeout\` reached |
| 7 | not found |
| 8 | not allowed |
| 9 | conflict: the state forbids it |
| 10 | the server is unavailable |
| 130, 143 | interrupted, terminated |

Settings: \`OSTLER_URL\`, \`OSTLER_TOKEN\` (or \`OSTLER_TOKEN_FILE\`), \`OSTLER_OUTPUT_FORMAT\`; see [settings](settings.md). Every command also takes
\`--url\`, \`--token\` and \`-o\`. \`ostler serve\` is the server; its flags are its settings.
`;

/** What --help prints for a command, without the options that all have. */
async function helpOf(words: readonly string[]): Promise<string> {
  let text = "";
  const output = new Writable({
    write: (chunk, _, done) => {
      text += chunk;
      done();
    },
  });
  const signal = new AbortController().signal;
  await runProgram({ argv: [...words, "--help"], env: {}, stdin: Readable.from([]), stdout: output, stderr: output, signal, now: () => 0 });
  return text.replace(/\nGlobal Options:\n(?: .*\n)+/, "").trim();
}

/** The words of every command at or below one: a noun has verbs (`runs list`), some nouns are below another. */
function wordsOf(command: Command): readonly (readonly string[])[] {
  if (command.commands.length === 0) return [[command.name()]];
  return command.commands.flatMap((below) => wordsOf(below).map((words) => [command.name(), ...words]));
}

async function configured(verb: (typeof verbs)[number]): Promise<Command> {
  const command = new Command(verb.name);
  const open: Open = Object.assign(
    () => {
      throw new Error("only described, not called");
    },
    { exitWith: () => {} },
  );
  (await verb.load()).configure(command, open);
  return command;
}

/** docs/cli.md, from what the commands say of themselves. */
export async function cliPage(): Promise<string> {
  const sections: string[] = [head];
  for (const verb of verbs) {
    for (const words of wordsOf(await configured(verb))) {
      sections.push(`## ostler ${words.join(" ")}\n\n\`\`\`text\n${await helpOf(words)}\n\`\`\`\n`);
    }
  }
  return sections.join("\n");
}
