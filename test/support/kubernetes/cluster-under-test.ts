import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import type { Json } from "./json.ts";
import type { Simulator } from "./simulator.ts";
import { openWebSocket, type WebSocketClient } from "./web-socket-client.ts";

/** Who asks: an administrator, an account that may only get, list and watch pods, somebody with a bad token, nobody. */
export type Caller = "admin" | "weak" | "bad" | "nobody";

export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json | string;
  readonly caller?: Caller;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** The cluster that a suite runs against, the simulated or a real one, over plain HTTPS. */
export interface ClusterUnderTest {
  readonly namespace: string;
  /** There are controls beyond the API. */
  readonly simulator: Simulator | undefined;
  readonly request: (request: PlainRequest) => Promise<PlainResponse>;
  /** The response as it comes. The caller destroys it. */
  readonly open: (request: PlainRequest) => Promise<IncomingMessage>;
  readonly webSocket: (path: string, headers: Readonly<Record<string, string>>, caller?: Caller) => Promise<WebSocketClient>;
  readonly close: () => Promise<void>;
}

/** How to reach a cluster: TLS options, and the headers of each caller. */
export interface Access {
  readonly url: string;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly rejectUnauthorized?: boolean };
  readonly headers: (caller: Caller) => Readonly<Record<string, string>>;
}

/** A cluster behind plain HTTPS. */
export function clusterAt(access: Access, namespace: string, simulator?: Simulator): ClusterUnderTest {
  const { url, tls } = access;
  const agent = new Agent({ keepAlive: true });
  const open = async ({ method, path, headers = {}, body, caller = "admin" }: PlainRequest) => {
    const payload = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const framed = payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) };
    const options: RequestOptions = { agent, ...tls, method, headers: { ...headers, ...framed, ...access.headers(caller) } };
    const outgoing = httpsRequest(`${url}${path}`, options);
    outgoing.end(payload);
    // "response" comes with the incoming message alone.
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return response;
  };
  return {
    namespace,
    simulator,
    open,
    request: async (request) => {
      const response = await open(request);
      return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
    },
    webSocket: (path, headers, caller = "admin") => openWebSocket({ url, tls, path, headers: { ...headers, ...access.headers(caller) } }),
    close: async () => {
      agent.destroy();
      await simulator?.close();
    },
  };
}

/** The simulated cluster behind the same door as a real one. It is closed with the door. */
export function simulatedCluster(simulator: Simulator, namespace: string): ClusterUnderTest {
  const rules = [{ verbs: ["get", "list", "watch"], resources: ["pods"] }];
  const weak = tokenIn(simulator.kubeconfigOf({ namespace, name: "weak", role: "reader", rules }));
  const tokens: Readonly<Record<Caller, string | undefined>> = { admin: simulator.token, weak, bad: "nobody-has-this", nobody: undefined };
  const headers = (caller: Caller): Readonly<Record<string, string>> => {
    const token = tokens[caller];
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  };
  return clusterAt({ url: simulator.url, tls: { ca: Buffer.from(simulator.caData, "base64").toString() }, headers }, namespace, simulator);
}

function tokenIn(kubeconfig: string): string {
  return /"token":"([0-9a-f]+)"/.exec(kubeconfig)?.[1] ?? "";
}
