import { z } from "zod";
import { parseJson, textAt } from "../json.ts";
import type { ObjectStore } from "../object-store.ts";
import { secrets } from "../resource.ts";
import type { Credentials } from "./images.ts";

const DockerConfig = z.object({
  auths: z.record(z.string(), z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() })),
});

/** What a pod's image pull secrets say about registries. Secrets that are missing or broken are passed over, as a node does. */
export function credentialsOf(store: ObjectStore, namespace: string, names: readonly { readonly name: string }[]): Credentials {
  const found = new Map<string, { username: string; password: string }>();
  for (const { name } of names) {
    const encoded = textAt(store.find(secrets, namespace, name), "data", ".dockerconfigjson");
    if (encoded === undefined) continue;
    const config = DockerConfig.safeParse(parseJson(Buffer.from(encoded, "base64").toString()));
    for (const [registry, entry] of Object.entries(config.success ? config.data.auths : {})) {
      const [username = "", ...password] = Buffer.from(entry.auth ?? "", "base64")
        .toString()
        .split(":");
      const login = { username: entry.username ?? username, password: entry.password ?? password.join(":") };
      found.set(registry.replace(/^https?:\/\//, "").replace(/\/(v\d\/?)?$/, ""), login);
    }
  }
  return found;
}
