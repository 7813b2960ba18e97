import { z } from "zod";
import { connectEngine, type Engine } from "./engine.ts";
import { createHelperVolume, type HelperVolume } from "./helper-volume.ts";

const Info = z.object({
  ID: z.string().min(1),
  Name: z.string(),
  DockerRootDir: z.string(),
  Architecture: z.string(),
  OSType: z.string(),
  MemTotal: z.number(),
});

/** The kernel's names of architectures, in ostler's. */
const archs: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  armv6l: "arm",
  i386: "386",
  i686: "386",
};

/** A daemon, and what it says of itself once and for all. */
export interface Daemon {
  readonly engine: Engine;
  /** Its own id, and where its data is: daemons of one machine may share the id (before Docker 23 it is in /etc/docker/key.json). */
  readonly id: string;
  readonly name: string;
  readonly arch: string;
  readonly memoryBytes: number;
  readonly helper: HelperVolume;
  readonly close: () => void;
}

export async function openDaemon(options: { readonly host: string; readonly helperImage: string }): Promise<Daemon> {
  const { engine, close } = await connectEngine(options.host);
  const { ID, Name, DockerRootDir, Architecture, OSType, MemTotal } = Info.parse(await engine.info());
  if (OSType !== "linux") throw new Error(`it runs ${OSType} containers, and ostler needs linux ones`);
  const arch = archs[Architecture] ?? Architecture;
  const helper = createHelperVolume(engine, { image: options.helperImage, arch });
  return { engine, id: `${ID} ${DockerRootDir}`, name: Name, arch, memoryBytes: MemTotal, helper, close };
}
