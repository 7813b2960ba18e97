/**
 * The port of the in-pod helper to a platform: a command in the pod's main container. The connection may drop at any byte;
 * the command goes on then, and the helper asks anew. Nothing here is repeated by the platform itself.
 */
export interface PodExec {
  /**
   * Begins the command. Rejects with PodError if the platform will never run it (no such user, for one);
   * any other rejection is taken for passing and tried again, until the pod's end is told by `watchEnd`.
   */
  readonly open: (request: ExecRequest, signal: AbortSignal) => Promise<ExecStream>;
}

export interface ExecRequest {
  readonly command: readonly string[];
  /** Written to the command's stdin, which is then left open: the command never waits for its end. */
  readonly input: Uint8Array;
  /** Only if the pod was created with `users`, else never set. */
  readonly user?: string;
}

export interface ExecChunk {
  readonly channel: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

export interface ExecStream {
  /**
   * What the command prints, each channel in its order. Ends, or throws, when the command or the connection has ended:
   * which of the two is told by what the command prints last. May be read once, and not to its end.
   */
  readonly chunks: AsyncIterable<ExecChunk>;
  /** Gives the connection up; the command may go on. Repeating it is no fault. */
  readonly close: () => void;
}
