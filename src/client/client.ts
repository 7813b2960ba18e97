import { createApi } from "./api.ts";
import { createLogs } from "./logs.ts";
import { createRuns } from "./runs.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

export type { RunSummary } from "./runs.ts";

/** The API of one ostler, typed. */
export type Client = ReturnType<typeof createClient>;

/** Opens nothing: requests are made when they are asked for. */
export function createClient(options: TransportOptions) {
  const transport = createTransport(options);
  const api = createApi(transport);
  return {
    /** The server's address, fit to be shown. */
    url: transport.url,
    runs: createRuns(api, transport),
    logs: createLogs(transport),
  };
}
