#!/usr/bin/env node
// Plain ES2020 and nothing but built-ins: any Node must be able to read this file, so that it can hand over to the right one.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const leastMajor = 24;

// Node resolves symbolic links of the program it was given, so this is the real place wherever it was called through.
const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

function majorOf(version) {
  return Number(version.split(".")[0]);
}

/** The Node that npm has put beside us; undefined if there is none (`ignore-scripts`, a production install) or it is too old. */
function findNode() {
  for (let folder = root; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    const binary = [join(modules, "node", "bin", "node"), join(modules, ".bin", "node")].find(existsSync);
    const manifest = join(modules, "node", "package.json");
    if (binary && existsSync(manifest) && majorOf(JSON.parse(readFileSync(manifest, "utf8")).version) >= leastMajor) return binary;
    if (dirname(folder) === folder) return undefined;
  }
}

/** True if a Ctrl-C reaches our child as well, because the terminal signals its whole foreground process group. */
function isInForeground() {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
    return fields[2] === fields[5]; // pgrp and tpgid, proc(5)
  } catch {
    return Boolean(process.stdin.isTTY || process.stderr.isTTY);
  }
}

/** Runs this program again under `node`, and ends as it ends: by the same exit code or the same signal. */
function reExecute(node) {
  const child = spawn(node, [...process.execArgv, self, ...process.argv.slice(2)], { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  const fromTerminal = (signal) => isInForeground() || child.kill(signal);
  const handlers = { SIGTERM: forward, SIGHUP: forward, SIGUSR2: forward, SIGINT: fromTerminal, SIGQUIT: fromTerminal };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);

  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    for (const name of Object.keys(handlers)) process.removeAllListeners(name);
    process.exitCode = 128 + constants.signals[signal]; // where the signal does not end us
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  process.stderr.write(`ostler: ${message}\n`);
  process.exitCode = 1;
}

/** The sources in a checkout, what was built from them in a published package (Node strips no types below node_modules). */
function entryOf(program) {
  const source = join(root, "src", `${program}.ts`);
  const isInstalled = root.split(sep).includes("node_modules");
  return !isInstalled && existsSync(source) ? source : join(root, "dist", `${program}.js`);
}

async function load(program) {
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
  try {
    await import(pathToFileURL(entryOf(program)).href);
  } catch (error) {
    const missing = /^Cannot find package '([^']+)'/.exec(error.code === "ERR_MODULE_NOT_FOUND" ? error.message : "");
    if (!missing) throw error;
    fail(`the package ${missing[1]} is not installed: run \`npm ci\` in ${root} (scripts/start does it for you)`);
  }
}

if (majorOf(process.versions.node) >= leastMajor) {
  const [, , verb] = process.argv;
  void load(verb === "serve" ? "main" : verb === "doctor" ? "doctor/entry" : "cli/entry");
} else {
  const node = findNode();
  if (node) reExecute(node);
  else {
    fail(
      `needs Node ${leastMajor} or newer; this is ${process.version}, and there is none in ${join(root, "node_modules")}.\n` +
        `Run \`npm ci\` in ${root}; where npm may not run install scripts: \`npm rebuild node --ignore-scripts=false\`.`,
    );
  }
}
