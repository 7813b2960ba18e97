import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { PodContainer, PodSpec } from "../driver.ts";
import { binFolder, stateFolder } from "../pod-helper/pod-layout.ts";
import { hasSecret, readyKey } from "./pod-secret.ts";

const binVolume = "ostler-bin";
const stateVolume = "ostler-state";
const secretVolume = "ostler-secret";

export function volumesOf(spec: PodSpec): V1Volume[] {
  return [
    { name: binVolume, emptyDir: {} },
    { name: stateVolume, emptyDir: {} },
    ...(hasSecret(spec) ? [{ name: secretVolume, secret: { secretName: spec.id, items: [{ key: readyKey, path: readyKey }] } }] : []),
    ...spec.containers.flatMap(({ tmpfs }, index) =>
      tmpfs.map(({ sizeBytes }, nth) => ({
        name: tmpfsName(index, nth),
        emptyDir: { medium: "Memory", ...(sizeBytes !== undefined && { sizeLimit: String(sizeBytes) }) },
      })),
    ),
  ];
}

/**
 * The helper mounts the pod's secret, of which it sees nothing: so no image is pulled and no service started before the secret
 * is there, which can be made only after its owner, the pod.
 */
export function helperMounts(spec: PodSpec): V1VolumeMount[] {
  return [
    { name: binVolume, mountPath: binFolder },
    ...(hasSecret(spec) ? [{ name: secretVolume, mountPath: "/ostler/secret", readOnly: true }] : []),
  ];
}

export function mainMounts(main: PodContainer): V1VolumeMount[] {
  return [
    { name: binVolume, mountPath: binFolder, readOnly: true },
    { name: stateVolume, mountPath: stateFolder },
    ...tmpfsMounts(main, 0),
  ];
}

export function tmpfsMounts({ tmpfs }: PodContainer, index: number): V1VolumeMount[] {
  return tmpfs.map(({ path }, nth) => ({ name: tmpfsName(index, nth), mountPath: path }));
}

function tmpfsName(container: number, nth: number): string {
  return `tmpfs-${container}-${nth}`;
}
