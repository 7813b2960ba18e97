import { jsonOf } from "./api.ts";
import type { Transport } from "./transport.ts";

/** Uploaded files, over the API. */
export function createSources(transport: Transport) {
  return {
    /** Uploads a tar archive compressed with zstd; runs name it by the id as `source`. */
    create: async (archive: ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<{ readonly id: string }> => {
      const init = {
        method: "POST",
        body: archive,
        duplex: "half",
        headers: { "content-type": "application/zstd" },
        ...(signal && { signal }),
      } as const;
      return jsonOf(transport.fetch(`${transport.url}/api/v1/sources`, init));
    },
  };
}
