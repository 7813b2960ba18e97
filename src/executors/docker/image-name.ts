import type { RegistryLogin } from "../driver.ts";

/** What the daemon takes for a name; anything else would also be part of a path of its API. */
const pattern = /^(?!.*\/\/)(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._\-/:]*(@sha256:[0-9a-f]{64})?$/;

export function isImageName(image: string): boolean {
  return image.length <= 512 && pattern.test(image);
}

/** The host of the image's registry: the part before the first slash if it can be a host, as the image specification has it. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isHost = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  return isHost ? first : "docker.io";
}

/** The login for the image's own registry; no other registry ever sees it. */
export function loginFor(image: string, registries: Readonly<Record<string, RegistryLogin>>): RegistryLogin | undefined {
  const host = registryOf(image);
  return Object.hasOwn(registries, host) ? registries[host] : undefined;
}
