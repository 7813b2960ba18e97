import { ApiError } from "./api-error.ts";

/** The body of an answer that is read as it comes. A connection that breaks on the way is an ApiError `stream_lost`, like any other fault. */
export function bodyOf(response: Response, url: string, signal?: AbortSignal): ReadableStream<Uint8Array> {
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        const lost = () => new ApiError("stream_lost", `the connection to ${url} broke before the answer's end`, { cause });
        controller.error(signal?.aborted ? signal.reason : lost());
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
