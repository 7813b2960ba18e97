import type { HashWrite } from "./actor.ts";

/** Keeps track of the fields of a hash that a batch touches, to write what it left different: what came and went leaves no trace. */
export function trackFields() {
  const wasStored = new Map<string, boolean>();
  const touch = (field: string, stored: boolean) => {
    if (!wasStored.has(field)) wasStored.set(field, stored);
  };
  const alter = (field: string) => touch(field, true);
  return {
    /** A field that begins to exist: if it is gone again at the end, there is nothing to write. */
    add: (field: string) => touch(field, false),
    /** A field that was stored. */
    remove: alter,
    /** A field that may have been stored or not. */
    alter,
    write: (key: string, write: (field: string) => string | undefined): HashWrite => {
      const set: Record<string, string> = {};
      const remove: string[] = [];
      for (const [field, stored] of wasStored) {
        const value = write(field);
        if (value !== undefined) set[field] = value;
        else if (stored) remove.push(field);
      }
      return { key, set, remove };
    },
  };
}
