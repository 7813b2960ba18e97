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

/** The simulated cluster behind the same door as a real one. */
export function simulatedCluster(simulator: Simulator, namespace: string): ClusterUnderTest {
  const agent = new Agent({ keepAlive: true });
  const weak = tokenIn(
    simulator.kubeconfigOf({ namespace, name: "weak", role: "reader", rules: [{ verbs: ["get", "list", "watch"], resources: ["pods"] }] }),
  );
  const tokens: Readonly<Record<Caller, string | undefined>> = { admin: simulator.token, weak, bad: "nobody-has-this", nobody: undefined };
  const ca = Buffer.from(simulator.caData, "base64").toString();
  const authorization = (caller: Caller): Readonly<Record<string, string>> => {
    const token = tokens[caller];
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  };
  const open = async ({ method, path, headers = {}, body, caller = "admin" }: PlainRequest) => {
    const payload = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const framed = payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) };
    const options: RequestOptions = { agent, ca, method, headers: { ...headers, ...framed, ...authorization(caller) } };
    const outgoing = httpsRequest(`${simulator.url}${path}`, options);
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
    webSocket: (path, headers, caller = "admin") =>
      openWebSocket({ url: simulator.url, ca, path, headers: { ...headers, ...authorization(caller) } }),
    close: async () => agent.destroy(),
  };
}

function tokenIn(kubeconfig: string): string {
  return /"token":"([0-9a-f]+)"/.exec(kubeconfig)?.[1] ?? "";
}
