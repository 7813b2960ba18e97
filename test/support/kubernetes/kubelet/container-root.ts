import { execFileSync } from "node:child_process";
import { accessSync, constants, linkSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageKind } from "./images.ts";

const busybox = "/bin/busybox";
/** Folders of an image that its containers share. */
const shared: Readonly<Record<ImageKind, readonly string[]>> = { shell: ["bin", "usr", "etc", "dev"], bare: ["etc", "dev"] };
const own = ["/proc", "/tmp", "/root", "/var", "/run", "/home"];
const deviceNumbers: Readonly<Record<string, readonly [number, number]>> = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
};

/** Something that a container sees below a path of its own. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** It is memory of that many bytes instead of a folder of the host. */
  readonly memoryBytes?: number;
}

/** The root file systems of images below a folder. Needs a static busybox on the host. */
export function prepareImages(folder: string): void {
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" })
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  for (const kind of ["shell", "bare"] as const) {
    const root = join(folder, kind);
    for (const name of ["bin", "usr/bin", "etc", "dev"]) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
    writeFileSync(join(root, "etc/group"), "root:x:0:\nnobody:x:65534:\n");
    writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
    writeFileSync(join(root, "dev/termination-log"), "");
    for (const [name, [major, minor]] of Object.entries(deviceNumbers)) {
      execFileSync(busybox, ["mknod", "-m", "666", join(root, "dev", name), "c", String(major), String(minor)]);
    }
  }
  execFileSync("/bin/cp", [busybox, join(folder, "shell/bin/busybox")]);
  for (const applet of applets) linkSync(join(folder, "shell/bin/busybox"), join(folder, "shell/bin", applet));
  linkSync(join(folder, "shell/bin/busybox"), join(folder, "shell/usr/bin/env"));
  linkSync(join(folder, "shell/bin/busybox"), join(folder, "bare/pause"));
}

/** What a new container has: the folders to make in its root, and what is mounted there. */
export function planRoot(
  root: string,
  image: { readonly folder: string; readonly kind: ImageKind },
  volumes: readonly Mount[],
): { readonly folders: readonly string[]; readonly mounts: readonly Mount[] } {
  mkdirSync(root, { recursive: true });
  if (image.kind === "bare") linkSync(join(image.folder, "bare/pause"), join(root, "pause"));
  const fromImage = shared[image.kind].map((name) => ({
    source: join(image.folder, image.kind, name),
    target: `/${name}`,
    readOnly: false,
  }));
  return { folders: [...own, ...fromImage.map(({ target }) => target)], mounts: [...fromImage, ...volumes] };
}

/** Where the runtime finds a command, as runc looks it up, or why not. Paths are those of the container. */
export function findCommand(
  command: string,
  { path, root, mounts }: { readonly path: string; readonly root: string; readonly mounts: readonly Mount[] },
): { readonly type: "found" } | { readonly type: "missing"; readonly why: string } {
  const candidates = command.includes("/") ? [command] : path.split(":").map((folder) => join(folder, command));
  for (const candidate of candidates) {
    const problem = executableProblem(hostPath(candidate, root, mounts));
    if (problem === undefined) return { type: "found" };
    if (problem === "permission denied") return { type: "missing", why: `exec: ${JSON.stringify(command)}: permission denied` };
  }
  if (!command.includes("/")) return { type: "missing", why: `exec: ${JSON.stringify(command)}: executable file not found in $PATH` };
  return { type: "missing", why: `exec: ${JSON.stringify(command)}: stat ${command}: no such file or directory` };
}

function executableProblem(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return "permission denied";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return "no such file or directory";
  }
}

function hostPath(path: string, root: string, mounts: readonly Mount[]): string {
  const mount = mounts
    .filter(({ target }) => path === target || path.startsWith(`${target}/`))
    .sort((a, b) => b.target.length - a.target.length)[0];
  return mount === undefined ? join(root, path) : join(mount.source, path.slice(mount.target.length));
}
