import { fileURLToPath } from "node:url";
import { openDirectory } from "./directory.ts";
import type { Store } from "./store.ts";

/** Opens the object storage of a URL: `file:///folder`, which is made if it is not there. Throws a plain sentence for any other. */
export async function openStore(url: string): Promise<Store> {
  if (url.startsWith("s3://")) throw new Error(`${url}: object storage on S3 comes with a later release; use file:///a/shared/folder`);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "file:") throw new Error(`${url}: object storage needs a URL such as file:///var/lib/ostler/ost`);
  if (parsed.host !== "") throw new Error(`${url}: a file URL has three slashes (file:///folder), this one names the host ${parsed.host}`);
  return openDirectory(fileURLToPath(parsed).replace(/(?<=.)\/+$/, ""));
}
