import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";

/** Who asks: `local` without authentication, `admin` with the administrator's token. */
export interface Principal {
  readonly name: string;
  readonly role: "admin";
}

/** What every handler finds in its context. */
export interface HttpEnv {
  /** Absent in `app.request()`, which has no socket. */
  Bindings: { readonly incoming?: IncomingMessage; readonly outgoing?: ServerResponse };
  Variables: {
    /** Also in the answer's `X-Request-Id`, and in every log line of the request. */
    requestId: string;
    log: Logger;
    principal: Principal;
  };
}
