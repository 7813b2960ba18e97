import { generateKeyPairSync, sign } from "node:crypto";

/** A key and a certificate that signs itself, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Tags of ASN.1 (X.690). */
const tags = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  utf8: 12,
  sequence: 48,
  set: 49,
  utcTime: 23,
  version: 0xa0,
  extensions: 0xa3,
};
/** Names of a general name within a subjectAltName. */
const altNames = { dns: 0x82, ip: 0x87 };
/** Object identifiers, encoded. */
const oids = { commonName: "550403", basicConstraints: "551d13", subjectAltName: "551d11", ecdsaWithSha256: "2a8648ce3d040302" };

/** Makes one for 127.0.0.1 that is valid for some days (RFC 5280). */
export function makeCertificate(now: number): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const name = sequence(der(tags.set, sequence(oid(oids.commonName), der(tags.utf8, Buffer.from("kubernetes")))));
  const days = (count: number) => der(tags.utcTime, Buffer.from(utcTime(now + count * 86_400_000)));
  const names = sequence(der(altNames.dns, Buffer.from("localhost")), der(altNames.ip, Buffer.from([127, 0, 0, 1])));
  const critical = der(tags.boolean, Buffer.from([255]));
  const extensions = sequence(
    sequence(oid(oids.basicConstraints), critical, der(tags.octets, sequence(critical))),
    sequence(oid(oids.subjectAltName), der(tags.octets, names)),
  );
  const content = sequence(
    der(tags.version, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.from([1])),
    algorithm,
    name,
    sequence(days(-1), days(7)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(tags.extensions, extensions),
  );
  const signature = der(tags.bits, Buffer.from([0]), sign("sha256", content, privateKey));
  const body = sequence(content, algorithm, signature).toString("base64").replaceAll(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tags.sequence, ...parts);
}

function oid(hex: string): Buffer {
  return der(tags.oid, Buffer.from(hex, "hex"));
}

/** YYMMDDHHMMSSZ */
function utcTime(at: number): string {
  return `${new Date(at).toISOString().slice(2, 19).replaceAll(/[-T:]/g, "")}Z`;
}
