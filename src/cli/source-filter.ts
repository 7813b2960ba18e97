import { readFileSync, type Stats } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/**
 * Says of each path below `folder` whether git would look at it: `.gitignore` files count at every level, and `.git` never
 * goes along. A folder must be asked about before what is in it, which is not asked about if the folder is left out.
 */
export function createSourceFilter(folder: string): (path: string, stats: Pick<Stats, "isDirectory">) => boolean {
  const top = resolve(folder);
  const matchers = new Map<string, Ignore | undefined>();

  function matcherOf(parent: string): Ignore | undefined {
    if (!matchers.has(parent)) matchers.set(parent, readRules(join(parent, ".gitignore")));
    return matchers.get(parent);
  }

  return (path, stats) => {
    const parts = relative(top, path).split(sep);
    if (parts.at(-1) === ".git") return false;
    let isIgnored = false;
    let parent = top;
    // From the outermost rules to the innermost, which have the last word.
    for (let i = 0; i < parts.length; i++) {
      const name = parts.slice(i).join("/") + (stats.isDirectory() ? "/" : "");
      const verdict = matcherOf(parent)?.test(name);
      if (verdict?.ignored) isIgnored = true;
      if (verdict?.unignored) isIgnored = false;
      parent = join(parent, parts[i] ?? "");
    }
    return !isIgnored;
  };
}

function readRules(file: string): Ignore | undefined {
  try {
    return ignore().add(readFileSync(file, "utf8"));
  } catch (error) {
    // No rules here; anything else that keeps us from reading them would let through what must stay.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EISDIR")) return undefined;
    throw error;
  }
}
