/** What an image has in it: a busybox with a shell, or nothing that can run but `/pause`. */
export type ImageKind = "shell" | "bare";

/** An image that the simulated registries serve differently from what its name says. */
export interface ImageRule {
  readonly kind: ImageKind | "absent";
  /** Only with these credentials for its registry, from an image pull secret. */
  readonly login?: { readonly username: string; readonly password: string };
}

export type Credentials = ReadonlyMap<string, { readonly username: string; readonly password: string }>;

/** What a node finds when it looks for an image. */
export type ImageAnswer =
  | { readonly type: "present"; readonly kind: ImageKind }
  | { readonly type: "waiting"; readonly reason: "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName"; readonly message: string };

/**
 * Finds an image. Without a rule of their own, names of registries under `.invalid` and names with `absent` cannot be pulled,
 * those with `no-shell` are bare, and all others have a shell.
 */
export function findImage(
  image: string,
  policy: string,
  { rules, credentials }: { readonly rules: Readonly<Record<string, ImageRule>>; readonly credentials: Credentials },
): ImageAnswer {
  const problem = nameProblem(image);
  if (problem !== undefined) return { type: "waiting", reason: "InvalidImageName", message: problem };
  const rule = rules[image] ?? { kind: kindByName(image) };
  if (rule.kind === "absent") return absent(image, policy);
  if (rule.login !== undefined && !isLogin(rule.login, credentials.get(registryOf(image)))) return denied(image);
  return { type: "present", kind: rule.kind };
}

function kindByName(image: string): ImageRule["kind"] {
  if (/\.invalid\/|absent/.test(image)) return "absent";
  return image.includes("no-shell") ? "bare" : "shell";
}

function absent(image: string, policy: string): ImageAnswer {
  if (policy === "Never") {
    return { type: "waiting", reason: "ErrImageNeverPull", message: `Container image "${image}" is not present with pull policy of Never` };
  }
  const [, path = "", tag = "latest"] = /^[^/]+\/(.*?)(?::([^:/]+))?$/.exec(image) ?? [];
  const registry = registryOf(image);
  const why = `failed to do request: Head "https://${registry}/v2/${path}/manifests/${tag}": dial tcp: lookup ${registry} on 127.0.0.1:53: no such host`;
  return { type: "waiting", reason: "ErrImagePull", message: pullFailure(image, why) };
}

function denied(image: string): ImageAnswer {
  const why = "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials";
  return { type: "waiting", reason: "ErrImagePull", message: pullFailure(image, why) };
}

function pullFailure(image: string, why: string): string {
  return `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${why}`;
}

function isLogin(wanted: NonNullable<ImageRule["login"]>, given: ImageRule["login"]): boolean {
  return given?.username === wanted.username && given.password === wanted.password;
}

function registryOf(image: string): string {
  const [first = ""] = image.split("/");
  return image.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

const reference =
  /^([a-z0-9.-]+(:\d+)?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;

/** Can a runtime parse it? */
export function isImageName(image: string): boolean {
  return reference.test(image);
}

function nameProblem(image: string): string | undefined {
  if (isImageName(image)) return undefined;
  const repository = image.includes("/") ? image.slice(image.indexOf("/") + 1) : image;
  const why = /[A-Z]/.test(image)
    ? `invalid reference format: repository name (${repository}) must be lowercase`
    : "invalid reference format";
  return `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`;
}
