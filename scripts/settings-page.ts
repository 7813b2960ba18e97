import { executorSettings } from "../src/config/executor-settings.ts";
import { flagOf, type Setting } from "../src/config/setting.ts";
import { clientSettings, serverSettings } from "../src/config/settings.ts";

const head = `# Settings

Every setting \`OSTLER_A_B\` of the server is also the flag \`--a-b\` of \`ostler serve\`; a flag wins. \`OSTLER_A_B_FILE\` names a file to read the
setting from, which is the right way for secrets: environments and arguments are seen by more people than files. An empty value
is not set.

Durations are numbers with a unit (\`ms\`, \`s\`, \`m\`, \`h\`, \`d\`), sizes are bytes or have a unit (\`Ki\`, \`Mi\`, \`Gi\`), lists are separated by
commas, labels are pairs \`k=v,k=v\`.

Unknown variables that begin with \`OSTLER_\`, and settings that contradict one another, stop the start; all faults are reported at once.
`;

function defaultOf(setting: Setting<unknown>): string {
  if ("default" in setting) return setting.default === "" ? "none" : `\`${setting.default}\``;
  return "derive" in setting ? setting.derived : `not set: ${setting.absent}`;
}

function row(setting: Setting<unknown>, flags: boolean): string {
  const names = [flagOf(setting.env), ...(setting.alias === undefined ? [] : [setting.alias])].map((flag) => `\`--${flag}\``);
  const name = flags ? `\`${setting.env}\`<br>${names.join(", ")}` : `\`${setting.env}\``;
  const about = `${setting.about}${setting.secret ? " A secret." : ""}`;
  return `| ${name} | ${setting.kind.form.replaceAll("|", "\\|")} | ${defaultOf(setting)} | ${about} |`;
}

function table(settings: readonly Setting<unknown>[], flags: boolean): string {
  return ["| setting | value | default | what it does |", "|---|---|---|---|", ...settings.map((setting) => row(setting, flags))].join(
    "\n",
  );
}

/** docs/settings.md, from the tables of settings. */
export function settingsPage(): string {
  return [
    head,
    "## Server\n",
    table(Object.values(serverSettings), true),
    "\n## Executor role\n",
    table(Object.values(executorSettings), true),
    "\n## Command line client\n",
    table(Object.values(clientSettings), false),
    "",
  ].join("\n");
}
