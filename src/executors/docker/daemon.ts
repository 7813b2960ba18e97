import { z } from "zod";
import { connectEngine, type Engine } from "./engine.ts";
import { createHelperVolume, type HelperVolume } from "./helper-volume.ts";

const Info = z.object({ ID: z.string().min(1), Name: z.string(), Architecture: z.string(), OSType: z.string(), MemTotal: z.number() });

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
  readonly id: string;
  readonly name: string;
  readonly arch: string;
  readonly memoryBytes: number;
  readonly helper: HelperVolume;
  readonly close: () => void;
}

export async function openDaemon(options: { readonly host: string; readonly helperImage: string }): Promise<Daemon> {
  const { engine, close } = await connectEngine(options.host);
  const { ID, Name, Architecture, OSType, MemTotal } = Info.parse(await engine.info());
  if (OSType !== "linux") throw new Error(`it runs ${OSType} containers, and ostler needs linux ones`);
  const arch = archs[Architecture] ?? Architecture;
  const helper = createHelperVolume(engine, { image: options.helperImage, arch });
  return { engine, id: ID, name: Name, arch, memoryBytes: MemTotal, helper, close };
}
