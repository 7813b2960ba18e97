/** What registries and runtimes say of an image that no waiting will bring. */
const permanent = [
  /not found/i,
  /manifest unknown/i,
  /name unknown/i,
  /does not exist/i,
  /pull access denied/i,
  /\b(?:unauthorized|forbidden|denied)\b/i,
  /authentication required/i,
  /invalid (?:reference|image name)/i,
  /no match for platform/i,
  /no matching manifest/i,
  /\b40[134]\b/,
];

/** These also contain such words at times, of things that pass. */
const passing = [/no such host/i, /lookup .* on /i, /timeout/i, /temporary failure/i, /too ?many ?requests|\b429\b/i, /connection re/i];

/** Whether a failed pull will fail for ever, by the message of the container runtime. */
export function isPermanentImageFault(message: string): boolean {
  return permanent.some((pattern) => pattern.test(message)) && !passing.some((pattern) => pattern.test(message));
}
