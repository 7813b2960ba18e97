import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A key and a certificate that signs itself, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Makes one for 127.0.0.1 that is valid for a day. Needs openssl. */
export async function makeCertificate(): Promise<Certificate> {
  const { stdout } = await promisify(execFile)("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -keyout - -out - -subj /CN=kubernetes".split(" "),
    ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
  ]);
  const part = (label: string) => new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----\n`).exec(stdout)?.[0] ?? "";
  return { key: part("PRIVATE KEY"), cert: part("CERTIFICATE") };
}
