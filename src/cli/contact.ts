import type { StreamOptions } from "../client/resume-stream.ts";
import type { Session } from "./session.ts";

/**
 * Says on stderr that the server is away, and that it is back. A first loss is not worth a word: a proxy that cuts long
 * answers costs a reconnect that nobody needs to know of.
 */
export function contactTalk({ client, say }: Pick<Session, "client" | "say">): Required<Pick<StreamOptions, "onLost" | "onFound">> {
  let losses = 0;
  return {
    onLost: ({ message }) => {
      losses += 1;
      if (losses === 2) say(`no contact with ${client.url} (${message}); trying again`);
    },
    onFound: () => {
      if (losses >= 2) say(`in contact with ${client.url} again`);
      losses = 0;
    },
  };
}
