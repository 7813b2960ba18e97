import type { HttpMethod, KubeConfig } from "@kubernetes/client-node";
import { ApiError } from "./api-error.ts";
import { createGate } from "./gate.ts";

type Client = typeof import("@kubernetes/client-node");
type Dispatcher = NonNullable<ReturnType<InstanceType<Client["RequestContext"]>["getDispatcher"]>>;

export interface ApiRequest {
  readonly method: HttpMethod;
  /** From the root, as `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: unknown;
}

/** Calls of the API server as JSON. Throws ApiError for what it refuses, and the connection's own error where there is no answer. */
export interface Api {
  /** One try, at most 15 s. */
  readonly call: (request: ApiRequest, signal: AbortSignal) => Promise<unknown>;
  /** An answer without an end of its own (watches, followed logs). Throws when the connection drops. */
  readonly stream: (request: ApiRequest, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  readonly close: () => Promise<void>;
}

const callLimitMs = 15_000;
/** Each call under way is a connection: enough for hundreds of pods, few for the server. */
const callsAtOnce = 16;
/** The client reads certificates anew for every request; ones that were replaced are in use after this time. */
const dispatcherLifeMs = 10 * 60_000;

/** Sends by the client's own configuration, authentication and transport. */
export function createApi(client: Client, config: KubeConfig): Api {
  const { RequestContext, IsomorphicFetchHttpLibrary } = client;
  const http = new IsomorphicFetchHttpLibrary();
  const gate = createGate(callsAtOnce);
  let kept: { readonly dispatcher: Dispatcher; readonly until: number } | undefined;

  /** The client makes a pool of connections for every single request: they all get the same one. */
  const shareConnections = (context: InstanceType<Client["RequestContext"]>) => {
    const fresh = context.getDispatcher();
    if (!fresh) return;
    if (!kept || performance.now() >= kept.until) {
      // Closes once what runs over it has ended.
      kept?.dispatcher.close().catch(() => {});
      kept = { dispatcher: fresh, until: performance.now() + dispatcherLifeMs };
    }
    context.setDispatcher(kept.dispatcher);
  };

  const send = async ({ method, path, query = {}, body }: ApiRequest, signal: AbortSignal) => {
    const context = new RequestContext(`${config.getCurrentCluster()?.server ?? ""}${path}`, method);
    for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value);
    context.setHeaderParam("Accept", "application/json");
    if (body !== undefined) {
      context.setHeaderParam("Content-Type", "application/json");
      context.setBody(JSON.stringify(body));
    }
    context.setSignal(signal);
    await config.applySecurityAuthentication(context);
    shareConnections(context);
    const response = await http.send(context).toPromise();
    const { httpStatusCode: status } = response;
    if (status < 200 || status > 299) throw new ApiError(status, await response.body.text(), response.headers["retry-after"]);
    return response.body;
  };

  return {
    call: (request, signal) =>
      gate.pass(async () => {
        const body = await send(request, AbortSignal.any([signal, AbortSignal.timeout(callLimitMs)]));
        const text = await body.text();
        return text === "" ? undefined : JSON.parse(text);
      }, signal),
    stream: async (request, signal) => {
      // Only the headers have a limit: whoever reads the body knows how long it may be silent.
      const headersLate = new AbortController();
      const timer = setTimeout(() => headersLate.abort(new Error("the API server does not answer")), callLimitMs);
      try {
        const body = await send(request, AbortSignal.any([signal, headersLate.signal]));
        return body.stream() ?? emptyStream();
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => {
      await kept?.dispatcher.destroy();
      kept = undefined;
    },
  };
}

async function* emptyStream(): AsyncGenerator<Uint8Array> {}
