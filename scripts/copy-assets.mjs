/** Puts into dist/ what tsc does not: the scripts that Redis runs, beside the modules that read them. */
import { cpSync, globSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const assets = globSync("**/*.lua", { cwd: join(root, "src") });
if (assets.length === 0) throw new Error("no assets below src/: has their place changed?");
for (const asset of assets) cpSync(join(root, "src", asset), join(root, "dist", asset));
console.log(`copied ${assets.length} assets to dist/`);
