import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const version = "v1:";

/** Seals texts so that only holders of the key can read them. */
export interface Sealer {
  /** `v1:` and the base64url of nonce, ciphertext and tag. Sealing a text twice gives two different results. */
  readonly seal: (text: string) => string;
  /** Throws on anything that was not sealed with this key, or was altered since. */
  readonly open: (sealed: string) => string;
}

/** AES-256-GCM with a random nonce; `key` is 32 bytes. */
export function createSealer(key: Uint8Array): Sealer {
  if (key.length !== keyBytes) throw new Error(`a secret key has ${keyBytes} bytes, not ${key.length}`);
  return {
    seal: (text) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return version + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url");
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed.slice(version.length), "base64url");
      if (!sealed.startsWith(version) || bytes.length < nonceBytes + tagBytes) throw new Error("not a sealed text");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
    },
  };
}

/** The key of a text that the setting accepts: 64 hexadecimal digits, or base64. */
function decodeKey(text: string): Uint8Array {
  return Buffer.from(text, text.length === 2 * keyBytes ? "hex" : "base64");
}

/**
 * The key that seals this installation's secrets: the one configured, or that of `<dataDir>/secret-key`, made with mode 0600 if absent.
 * Processes that start at the same time end up with the same key: the first file to be linked there stays.
 */
export async function loadSecretKey(config: Pick<Config, "secretKey" | "dataDir">): Promise<Uint8Array> {
  if (config.secretKey !== undefined) return decodeKey(config.secretKey);
  const path = join(config.dataDir, "secret-key");
  const key = decodeKey((await readIfThere(path)) ?? (await makeKey(config.dataDir, path)));
  if (key.length !== keyBytes)
    throw new Error(`${path} does not hold a key of ${keyBytes} bytes: restore it from a backup, or what is sealed stays sealed`);
  return key;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function makeKey(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(keyBytes).toString("hex")}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return (await readFile(path, "utf8")).trim();
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
