import { createEventParser } from "../../src/client/server-sent-events.ts";

export interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** The messages of an event stream until `enough` of them have come, or it ends. The rest is cancelled. */
export async function messagesOf(response: Response, enough: (messages: readonly Message[]) => boolean): Promise<readonly Message[]> {
  const messages: Message[] = [];
  const parse = createEventParser();
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  while (reader && !enough(messages)) {
    const { done, value } = await reader.read();
    if (done) return messages;
    for (const part of parse(decoder.decode(value, { stream: true }))) {
      if (part.type === "message") messages.push({ ...part.message, data: JSON.parse(part.message.data) });
    }
  }
  await reader?.cancel();
  return messages;
}
