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

/** `unknown field "needs", did you mean "depends"?` */
export function unknownField(name: string, known: readonly string[]): string {
  const foreign = Object.hasOwn(foreignWords, name) ? foreignWords[name] : undefined;
  return `unknown field "${name}"${foreign !== undefined && known.includes(foreign) ? didYouMean(foreign) : suggest(name, known)}`;
}

/** `, did you mean "lint"?` where a known name is near, else nothing. */
export function suggest(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? "" : didYouMean(nearest);
}

function didYouMean(name: string): string {
  return `, did you mean "${name}"?`;
}

/** The known name that is nearest to `name`, whatever its case; undefined if none is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = normalize(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, normalize(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function normalize(name: string): string {
  return name.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** Levenshtein's distance, or `limit` once it is certain to be at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
