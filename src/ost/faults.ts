import { OstlerError } from "../errors.ts";

const explanations: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an input/output error",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this machine",
  EFBIG: "the file is larger than the file system or the process's limit allows",
  EEXIST: "a file is where a folder should be",
  ENOTDIR: "a file is where a folder should be",
  EISDIR: "a folder is where a file should be",
  ESTALE: "the network file system has lost the file",
};

/** The errno code of a system error, `ENOENT` or the like; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && errnoOf(error) !== undefined;
}

/** Turns what the operating system says about a file into one sentence for people; any other error stays as it is. */
export function storageFault(action: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const code = errnoOf(error) ?? "";
  const why = explanations[code] ?? (error instanceof Error ? error.message : code);
  return new OstlerError("ost_unavailable", `object storage cannot ${action}: ${why}`, { details: { errno: code }, cause: error });
}
