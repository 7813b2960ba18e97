import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { objectAt } from "../json.ts";
import type { ObjectStore } from "../object-store.ts";
import type { Container, PodSpec } from "../pod-spec.ts";
import { parseQuantity } from "../quantities.ts";
import { configMaps, secrets } from "../resource.ts";
import type { Mount } from "./container-root.ts";

type Volume = PodSpec["volumes"][number];

/** Makes a pod's volumes below a folder. Gives the reason where one cannot be had yet. */
export function prepareVolumes(
  store: ObjectStore,
  { namespace, volumes, folder }: { readonly namespace: string; readonly volumes: readonly Volume[]; readonly folder: string },
): string | undefined {
  for (const volume of volumes) {
    const home = join(folder, volume.name);
    const files = filesOf(store, namespace, volume);
    if (typeof files === "string") return `MountVolume.SetUp failed for volume "${volume.name}" : ${files}`;
    mkdirSync(home, { recursive: true, mode: 0o777 });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(home, name), content, { mode: 0o644 });
  }
  return undefined;
}

function filesOf(store: ObjectStore, namespace: string, { secret, configMap }: Volume): Readonly<Record<string, Buffer>> | string {
  if (secret !== undefined) {
    const found = store.find(secrets, namespace, secret.secretName);
    if (found === undefined) return secret.optional === true ? {} : `secret "${secret.secretName}" not found`;
    return mapValues(objectAt(found, "data"), (value) => Buffer.from(value, "base64"));
  }
  if (configMap !== undefined) {
    const found = store.find(configMaps, namespace, configMap.name);
    if (found === undefined) return configMap.optional === true ? {} : `configmap "${configMap.name}" not found`;
    return mapValues(objectAt(found, "data"), (value) => Buffer.from(value));
  }
  return {};
}

function mapValues(values: ReturnType<typeof objectAt>, make: (value: string) => Buffer): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, make(String(value ?? ""))]));
}

/** What a container sees of its pod's volumes. Memory that it shares with no other container is of the size that was asked for. */
export function mountsOf(container: Container, spec: PodSpec, volumesFolder: string): readonly Mount[] {
  return container.volumeMounts.map(({ name, mountPath, subPath, readOnly }) => {
    const target = mountPath.replace(/\/+$/, "");
    const source = join(volumesFolder, name, subPath ?? "");
    const memoryBytes = memoryOf(spec, name);
    if (memoryBytes !== undefined) return { source, target, readOnly: readOnly === true, memoryBytes };
    mkdirSync(source, { recursive: true });
    return { source, target, readOnly: readOnly === true };
  });
}

function memoryOf({ volumes, initContainers, containers }: PodSpec, name: string): number | undefined {
  const { emptyDir } = volumes.find((volume) => volume.name === name) ?? {};
  const users = [...initContainers, ...containers].filter(({ volumeMounts }) => volumeMounts.some((mount) => mount.name === name));
  if (emptyDir?.medium !== "Memory" || emptyDir.sizeLimit === undefined || users.length > 1) return undefined;
  return parseQuantity(emptyDir.sizeLimit);
}
