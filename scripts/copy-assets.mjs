/** Puts into dist/ what tsc does not: scripts of Redis and of pods, beside the modules that read them. */
import { cpSync, globSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const assets = globSync("**/*", { cwd: join(root, "src") }).filter(
  (path) => !path.endsWith(".ts") && statSync(join(root, "src", path)).isFile(),
);
if (assets.length === 0) throw new Error("no assets below src/: has their place changed?");
for (const asset of assets) cpSync(join(root, "src", asset), join(root, "dist", asset));
console.log(`copied ${assets.length} assets to dist/`);
