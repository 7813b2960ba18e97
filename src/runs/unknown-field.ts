import { nearest } from "../nearest.ts";

/** What GitHub, GitLab, Woodpecker and Argo call things, and what they are called here. */
const foreignWords: Readonly<Record<string, string>> = {
  needs: "depends",
  depends_on: "depends",
  dependsOn: "depends",
  dependencies: "depends",
  env: "environment",
  envs: "environment",
  variables: "environment",
  script: "steps",
  scripts: "steps",
  commands: "steps",
  before_script: "steps",
  allow_failure: "ignoreFailure",
  "continue-on-error": "ignoreFailure",
  continueOnError: "ignoreFailure",
  jobs: "tasks",
  stages: "tasks",
  templates: "tasks",
  container: "runtime",
  services: "runtime",
  "runs-on": "labels",
  tags: "labels",
  "timeout-minutes": "timeout",
  activeDeadlineSeconds: "timeout",
  retryStrategy: "retry",
  when: "needsApproval",
  "working-directory": "workingDir",
  working_directory: "workingDir",
  working_dir: "workingDir",
};

/** No known name is longer, and comparing costs the product of lengths. */
const maxLength = 64;

/** `unknown field "needs", did you mean "depends"?` */
export function unknownField(name: string, known: readonly string[]): string {
  const foreign = Object.hasOwn(foreignWords, name) ? foreignWords[name] : undefined;
  return `unknown field "${name}"${foreign !== undefined && known.includes(foreign) ? didYouMean(foreign) : suggest(name, known)}`;
}

/** `, did you mean "lint"?` where a known name is near, else nothing. */
export function suggest(name: string, known: readonly string[]): string {
  const meant = nearest(name.slice(0, maxLength), known);
  return meant === undefined ? "" : didYouMean(meant);
}

function didYouMean(name: string): string {
  return `, did you mean "${name}"?`;
}
