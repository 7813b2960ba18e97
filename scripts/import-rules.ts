/** The import rules of the architecture, as functions of the sources alone. Paths are relative to `src/`. */
import { posix } from "node:path";

/** Sources by path, such as `runs/graph.ts`. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  readonly from: string;
  /** A path in `src/`, or the package or built-in as written. */
  readonly to: string;
  readonly internal: boolean;
}

const statement = /^\s*(?:import|export)\s[^"';]*?from\s*["']([^"']+)["']/gm;
const bare = /^\s*import\s*["']([^"']+)["']/gm;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(from: string, source: string): Import[] {
  const specifiers = [statement, bare, dynamic].flatMap((pattern) =>
    Array.from(source.matchAll(pattern), ([, specifier = ""]) => specifier),
  );
  return [...new Set(specifiers)].map((specifier) => {
    const internal = specifier.startsWith(".");
    return { from, to: internal ? posix.join(posix.dirname(from), specifier) : specifier, internal };
  });
}

function isIn(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** Files beside the folders, such as `ids.ts`: known to all, except those that compose the program or touch the machine. */
function isCommon(path: string): boolean {
  return !path.includes("/") && !["main.ts", "index.ts", "secrets.ts", "installation.ts"].includes(path);
}

const drivers = ["process", "docker", "kubernetes"];
const actors = ["run", "root-group", "pool", "executor", "executor-group", "index"];

/** What others may know of an actor: its messages, and the schema that several of them are made of. */
const vocabulary = ["messages.ts", "description.ts"];

function isPure(path: string): boolean {
  return isIn("runs", path) || (isIn("actors", path) && /\/(?:decide|state|messages)\.ts$/.test(path));
}

function actorOf(path: string): string | undefined {
  return actors.find((actor) => isIn(`actors/${actor}`, path));
}

function driverOf(path: string): string | undefined {
  return drivers.find((driver) => isIn(`executors/${driver}`, path));
}

/** One rule: says why an import is not allowed, or nothing. To add one: an entry here, and a planted violation in the test. */
const rules: readonly ((found: Import) => string | undefined)[] = [
  ({ to }) => (to === "main.ts" ? "nothing imports main.ts" : undefined),
  ({ from, to, internal }) =>
    isPure(from) && !internal && (to.startsWith("node:") || ["ioredis", "bullmq", "pino"].includes(to))
      ? "the domain is pure: no built-ins, no Redis, no log"
      : undefined,
  ({ from, to, internal }) =>
    isIn("runs", from) && internal && !isIn("runs", to) && !isCommon(to) ? "runs/ knows no other room" : undefined,
  ({ from, to }) => {
    const [own, other] = [actorOf(from), actorOf(to)];
    if (own === undefined || other === undefined || own === other || vocabulary.includes(posix.basename(to))) return undefined;
    return "an actor knows only the messages of another";
  },
  ({ from, to }) =>
    isIn("executors", from) && (isIn("actors", to) || isIn("http", to)) ? "executors/ knows neither actors/ nor http/" : undefined,
  ({ from, to }) => {
    const [own, other] = [driverOf(from), driverOf(to)];
    return own !== undefined && other !== undefined && own !== other ? "a driver knows no other driver" : undefined;
  },
  ({ from, to, internal }) =>
    isIn("web", from) && internal && !isIn("web", to) && !isIn("client", to) ? "web/ knows client/ only" : undefined,
  ({ from, to, internal }) =>
    isIn("cli", from) && internal && !["cli", "client", "runs"].some((folder) => isIn(folder, to)) && !isCommon(to)
      ? "cli/ knows client/, runs/ and the settings only"
      : undefined,
];

/** Everything that breaks a rule, one sentence each: forbidden imports, missing files, re-exports, cycles. */
export function findViolations(sources: Sources): readonly string[] {
  const imports = [...sources].flatMap(([path, source]) => importsOf(path, source));
  const forbidden = imports.flatMap((found) =>
    rules.flatMap((rule) => {
      const why = rule(found);
      return why === undefined ? [] : [`${found.from} imports ${found.to}: ${why}`];
    }),
  );
  const internal = imports.filter((found) => found.internal);
  const missing = internal
    .filter(({ to }) => !sources.has(to) && to.endsWith(".ts"))
    .map(({ from, to }) => `${from} imports ${to}, which does not exist`);
  const barrels = [...sources]
    .filter(([path, source]) => path !== "index.ts" && /^export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s*)?from\b/m.test(source))
    .map(([path]) => `${path} exports what another file has: only index.ts may`);
  return [...forbidden, ...missing, ...barrels, ...findCycles(internal).map((cycle) => `cycle: ${cycle.join(" -> ")}`)];
}

/** Each cycle once, from its first file in code-unit order. */
function findCycles(imports: readonly Import[]): readonly string[][] {
  const next = Map.groupBy(imports, ({ from }) => from);
  const cycles = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const cycle = trail.slice(at);
      const start = cycle.indexOf([...cycle].sort()[0] ?? "");
      const turned = [...cycle.slice(start), ...cycle.slice(0, start)];
      cycles.set(turned.join(), [...turned, turned[0] ?? ""]);
      return;
    }
    if (done.has(path)) return;
    for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of [...next.keys()].sort()) visit(path, []);
  return [...cycles.values()];
}
