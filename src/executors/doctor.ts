import type { Config } from "../config.ts";
import type { Check } from "../doctor/examine.ts";

/** What a driver's platform must have for an executor to work there: looked at where that executor would run, before it does. */
type DriverDoctor = (config: Config) => readonly Check[];

/** The doctors of the drivers that have one. To add one: a file `doctor.ts` in the driver's folder, and an entry here. */
const doctors: Readonly<Record<string, () => Promise<DriverDoctor>>> = {
  docker: async () => (await import("./docker/doctor.ts")).dockerChecks,
  kubernetes: async () => (await import("./kubernetes/doctor.ts")).kubernetesChecks,
  process: async () => (await import("./process/doctor.ts")).processChecks,
};

/** The checks of the configured driver; none for a driver without a doctor. */
export async function driverChecks(config: Config): Promise<readonly Check[]> {
  const load = doctors[config.executor.driver];
  return load ? (await load())(config) : [];
}
