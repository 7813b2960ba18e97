import { createApi } from "./api.ts";
import { createArtifacts } from "./artifacts.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { createDoctor } from "./doctor.ts";
import { createExecutors } from "./executors.ts";
import { createGroups } from "./groups.ts";
import { type FollowInstallation, followInstallation } from "./installation-events.ts";
import { createLogs } from "./logs.ts";
import { createRuns } from "./runs.ts";
import { createSources } from "./sources.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** The API of one ostler, typed. */
export type Client = ReturnType<typeof createClient>;

/** Opens nothing: requests are made when they are asked for. */
export function createClient(options: TransportOptions) {
  const transport = createTransport(options);
  const api = createApi(transport);
  return {
    /** The server's address, fit to be shown. */
    url: transport.url,
    /** How far (ms) the server's clock is ahead of ours, as far as its answers tell. */
    clockSkewMs: transport.clockSkewMs,
    runs: createRuns(api, transport),
    groups: createGroups(api),
    /** The events of all runs, as they happen, until the signal is aborted. */
    events: (options: FollowInstallation) => followInstallation(transport, options),
    logs: createLogs(transport),
    artifacts: createArtifacts(api, transport),
    sources: createSources(transport),
    deadLetters: createDeadLetters(api),
    doctor: createDoctor(api),
    ...createExecutors(api),
  };
}
