import type { ContainerCreateOptions, HostConfig } from "dockerode";
import { type PodContainer, PodError, type PodSpec } from "../driver.ts";
import { mainCommand, serviceCommand } from "../pod-helper/main-command.ts";
import { binFolder, stateFolder } from "../pod-helper/pod-layout.ts";
import type { Image } from "./images.ts";
import { containerName, label, type PodFacts, writeLabels } from "./labels.ts";

export interface PodPlan {
  readonly spec: PodSpec;
  readonly facts: PodFacts;
  readonly helperVolume: string;
}

/** The main container: the helper's own process, as root so that steps of any user can be started, told and stopped. */
export function mainOptions({ spec, facts, helperVolume }: PodPlan, image: Image): ContainerCreateOptions {
  const container = containerOf(spec, 0);
  const labels = writeLabels(facts);
  return {
    Image: image.name,
    User: "0",
    Entrypoint: [...mainCommand(spec)],
    Cmd: [],
    Labels: { ...labels, [label.container]: "main" },
    Healthcheck: { Test: ["NONE"] },
    StopSignal: "SIGTERM",
    HostConfig: {
      ...hostConfig(container),
      // What the helper prints is for nobody.
      LogConfig: { Type: "none", Config: {} },
      Mounts: [
        ...helperMount(helperVolume),
        // A nameless volume: it goes with its container. The label is for what a daemon that died left of it.
        { Type: "volume", Source: "", Target: stateFolder, VolumeOptions: volumeOptions(labels) },
      ],
    },
  };
}

/** A service: it shares the main container's network, so that both find each other at localhost. */
export function serviceOptions(plan: PodPlan, index: number, image: Image): ContainerCreateOptions {
  const container = containerOf(plan.spec, index);
  const command = container.entrypoint ?? image.command;
  if (command.length === 0) throw new PodError("config", `the service's image ${image.name} has no entrypoint, and the task gives none`);
  return {
    Image: image.name,
    ...(container.user !== undefined && { User: container.user }),
    Entrypoint: [...serviceCommand(plan.spec.deadlineAt, command)],
    Cmd: [],
    Env: Object.entries(container.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...writeLabels(plan.facts), [label.container]: String(index) },
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      ...hostConfig(container),
      NetworkMode: `container:${containerName(plan.spec.id, 0)}`,
      // Read back from offsets, so the daemon's own choice will not do.
      LogConfig: { Type: "json-file", Config: {} },
      Mounts: helperMount(plan.helperVolume),
    },
  };
}

export function containerOf({ containers }: PodSpec, index: number): PodContainer {
  const container = containers[index];
  if (!container) throw new PodError("config", "the task has no container");
  return container;
}

function hostConfig({ privileged, tmpfs, cpuMillis, memoryBytes }: PodContainer): HostConfig {
  return {
    Privileged: privileged,
    RestartPolicy: { Name: "no" },
    Tmpfs: Object.fromEntries(tmpfs.map(({ path, sizeBytes }) => [path, tmpfsOptions(sizeBytes)])),
    ...(cpuMillis !== undefined && { NanoCpus: cpuMillis * 1_000_000 }),
    // The same with swap: what is over the limit is an end, not a crawl.
    ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}

function tmpfsOptions(sizeBytes: number | undefined): string {
  return ["exec", "mode=1777", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])].join(",");
}

function helperMount(volume: string): NonNullable<HostConfig["Mounts"]> {
  return [{ Type: "volume", Source: volume, Target: binFolder, ReadOnly: true, VolumeOptions: volumeOptions({}) }];
}

function volumeOptions(labels: Record<string, string>) {
  return { NoCopy: true, Labels: labels, DriverConfig: { Name: "", Options: {} } };
}
