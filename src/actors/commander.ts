import { z } from "zod";
import { type ErrorCode, OstlerError, statusOf } from "../errors.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import { actorId, sendMail, shardOf } from "../redis/mail.ts";
import type { Recipient } from "./actor.ts";

/** Sends commands to actors and waits for their replies. One per process that asks. */
export interface Commander {
  /**
   * Resolves with what the actor answered, once its decision is committed and durable.
   * Throws the actor's refusal as an OstlerError, or `not_confirmed` if no reply came in time:
   * the command then stays in the inbox, and repeating it with the same request id is safe.
   */
  readonly ask: (recipient: Recipient, message: unknown, options: AskOptions) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface AskOptions {
  /** The `Idempotency-Key`, or a random id. */
  readonly requestId: string;
  readonly replyTimeoutMs?: number;
}

export interface Answer {
  readonly value: unknown;
  /** Id of the event stream's entry that the decision's events are in, or of the newest one before it. */
  readonly event: string;
}

const defaultTimeoutMs = 15_000;
const readBlockMs = 5_000;

const ReplyShape = z.union([
  z.object({ ok: z.literal(true), value: z.unknown().optional() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);

const Reading = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])).nullable();

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(statusOf, code);
}

export function createCommander(options: {
  readonly redis: RedisConnection;
  /** Of role `blocking`, for this commander alone. */
  readonly blocking: RedisConnection;
  readonly keys: Keys;
  readonly shards: number;
  /** Names this process's reply stream; drawn anew at every start. */
  readonly processId: string;
  readonly confirm: Confirm;
  readonly onError: (error: unknown) => void;
}): Commander {
  const { redis, blocking, keys, shards, processId, confirm, onError } = options;
  const stream = keys.reply(processId);
  // Two requests may carry the same id (a client that repeats at once): each gets the reply.
  const waiting = new Map<string, Set<Waiting>>();
  const stop = new AbortController();

  const settle = (requestId: string, raw: string, event: string) => {
    const group = waiting.get(requestId);
    if (!group) return;
    waiting.delete(requestId);
    const reply = ReplyShape.parse(JSON.parse(raw));
    for (const { resolve, reject, timer } of group) {
      clearTimeout(timer);
      if (reply.ok) resolve({ value: reply.value, event });
      else reject(new OstlerError(isErrorCode(reply.code) ? reply.code : "internal", reply.message));
    }
  };

  const listen = async () => {
    // Replies from before the first question are nobody's.
    let after = "0-0";
    while (!stop.signal.aborted) {
      try {
        if (blocking.status === "wait" || blocking.status === "end") await blocking.connect();
        const answer = Reading.parse(await blocking.call("XREAD", ["COUNT", 500, "BLOCK", readBlockMs, "STREAMS", stream, after]));
        for (const [, entries] of answer ?? []) {
          await confirm();
          for (const [id, fields] of entries) {
            after = id;
            const [, requestId = "", , raw = "", , event = ""] = fields;
            settle(requestId, raw, event);
          }
        }
      } catch (error) {
        if (stop.signal.aborted) return;
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  const listening = listen();

  const expect = (requestId: string, timeoutMs: number) =>
    new Promise<Answer>((resolve, reject) => {
      const group = waiting.get(requestId) ?? new Set();
      const entry: Waiting = {
        resolve,
        reject,
        timer: setTimeout(() => {
          group.delete(entry);
          if (group.size === 0 && waiting.get(requestId) === group) waiting.delete(requestId);
          const message = `no scheduler confirmed the command within ${timeoutMs / 1000} s; it stays queued, and repeating it is safe`;
          reject(new OstlerError("not_confirmed", message));
        }, timeoutMs),
      };
      waiting.set(requestId, group.add(entry));
    });

  return {
    ask: async (recipient, message, { requestId, replyTimeoutMs = defaultTimeoutMs }) => {
      const answer = expect(requestId, replyTimeoutMs);
      // Handled here even if sending fails first.
      answer.catch(() => {});
      await sendMail(redis, keys, shardOf(recipient, shards), [[actorId(recipient), message, processId, requestId]]);
      return answer;
    },
    close: async () => {
      stop.abort();
      blocking.disconnect();
      await listening;
      for (const group of waiting.values()) {
        for (const { reject, timer } of group) {
          clearTimeout(timer);
          reject(new OstlerError("not_confirmed", "the server is stopping; repeating the command is safe"));
        }
      }
    },
  };
}
