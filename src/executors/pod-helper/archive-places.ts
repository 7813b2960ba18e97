import { posix } from "node:path";
import { isBelow, leavesByLink, placeInArchive, RefusedEntry } from "../unpack-files.ts";

const maxLinks = 40;

export interface Place {
  /** In full, with the archive's own links followed but for the last name. */
  readonly path: string;
  readonly root: string;
}

export interface ArchivePlaces {
  /** Where an entry goes; throws RefusedEntry if a name or a link of the archive leads it out of its destination. */
  readonly place: (name: string) => Place;
  /** An entry that is a link: what comes later may be meant to go through it. */
  readonly link: (place: Place, target: string) => void;
  /** By root, every folder that something is put into: whether links that are there already lead out, only the pod knows. */
  readonly folders: () => ReadonlyMap<string, ReadonlySet<string>>;
}

/** Where the entries of an archive go in a pod whose files cannot be seen from here. The roots are free of links. */
export function createArchivePlaces(roots: { readonly home: string; readonly destDir: string }): ArchivePlaces {
  const links = new Map<string, string>();
  const folders = new Map<string, Set<string>>();

  /** Follows the archive's links in `path`, the whole of it. */
  const follow = (path: string, name: string): string => {
    let resolved = "/";
    const left = path.split("/").filter((segment) => segment !== "" && segment !== ".");
    let followed = 0;
    for (let segment = left.shift(); segment !== undefined; segment = left.shift()) {
      resolved = posix.join(resolved, segment);
      const target = links.get(resolved);
      if (target === undefined) continue;
      if (++followed > maxLinks) throw new RefusedEntry(name, leavesByLink);
      left.unshift(...target.split("/").filter((part) => part !== "" && part !== "."));
      resolved = target.startsWith("/") ? "/" : posix.dirname(resolved);
    }
    return resolved;
  };

  const remember = (root: string, folder: string) => {
    const known = folders.get(root) ?? new Set();
    folders.set(root, known);
    for (let at = folder; at !== root && !known.has(at); at = posix.dirname(at)) known.add(at);
  };

  return {
    place: (name) => {
      const { inHome, segments } = placeInArchive(name);
      const root = inHome ? roots.home : roots.destDir;
      const last = segments.at(-1);
      if (last === undefined) return { path: root, root };
      const folder = follow(posix.join(root, ...segments.slice(0, -1)), name);
      if (!isBelow(folder, root)) throw new RefusedEntry(name, leavesByLink);
      remember(root, folder);
      const path = posix.join(folder, last);
      if (name.endsWith("/")) {
        if (!isBelow(follow(path, name), root)) throw new RefusedEntry(name, leavesByLink);
        remember(root, path);
      }
      return { path, root };
    },
    link: ({ path }, target) => {
      links.set(path, target);
    },
    folders: () => folders,
  };
}
