import type { JsonObject } from "./json.ts";
import { type Resource, secrets } from "./resource.ts";

/** One problem of several in a 422, or the cause of another error. */
export type Cause = { readonly reason?: string; readonly message: string; readonly field?: string };

interface Failure {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
  readonly details?: JsonObject;
  readonly metadata?: JsonObject;
  readonly retryAfterSeconds?: number;
}

/** An answer that is a Status object of failure. */
export class StatusError extends Error {
  readonly code: number;
  readonly body: JsonObject;
  readonly retryAfterSeconds: number | undefined;

  constructor(failure: Failure) {
    super(failure.message);
    this.code = failure.code;
    this.retryAfterSeconds = failure.retryAfterSeconds;
    this.body = statusOf(failure);
  }
}

function statusOf({ code, message, reason, details, metadata }: Failure): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: metadata ?? {},
    status: "Failure",
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

/** The `details` that name an object: the plural in lower case. */
export function detailsOf(resource: Resource, name?: string): JsonObject {
  return {
    ...(name === undefined ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

function qualified(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function badRequest(message: string): StatusError {
  return new StatusError({ code: 400, reason: "BadRequest", message });
}

export function notFound(resource: Resource, name: string): StatusError {
  return new StatusError({
    code: 404,
    reason: "NotFound",
    message: `${qualified(resource)} "${name}" not found`,
    details: detailsOf(resource, name),
  });
}

/** The path names nothing that a known group has. */
export function noSuchResource(): StatusError {
  return new StatusError({
    code: 404,
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });
}

export function methodNotAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

export function alreadyExists(resource: Resource, name: string, beingDeleted: boolean): StatusError {
  return new StatusError({
    code: 409,
    reason: "AlreadyExists",
    message: `${beingDeleted ? "object is being deleted: " : ""}${qualified(resource)} "${name}" already exists`,
    details: detailsOf(resource, name),
  });
}

/** Somebody wrote in between. */
export function conflict(resource: Resource, name: string, why?: string): StatusError {
  const message = why ?? "the object has been modified; please apply your changes to the latest version and try again";
  return new StatusError({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${message}`,
    details: detailsOf(resource, name),
  });
}

/** A precondition of a deletion does not hold: the message names the Kind, not the plural. */
export function preconditionFailed(resource: Resource, name: string, why: string): StatusError {
  return new StatusError({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${resource.kind} "${name}": ${why}`,
    details: { name, kind: resource.kind },
  });
}

/** 422: all problems in one answer. */
export function invalid(kind: { readonly kind: string; readonly group?: string }, name: string, causes: readonly Cause[]): StatusError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const distinct = [...new Set(texts)];
  const group = kind.group ?? "";
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: `${group === "" ? kind.kind : `${kind.kind}.${group}`} "${name}" is invalid: ${distinct.length === 1 ? distinct[0] : `[${distinct.join(", ")}]`}`,
    details: {
      name: name === "" ? undefined : name,
      ...(group === "" ? {} : { group }),
      kind: kind.kind === "" ? undefined : kind.kind,
      causes,
    },
  });
}

export const required = (field: string): Cause => ({ reason: "FieldValueRequired", message: "Required value", field });
export const invalidValue = (field: string, value: string, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${value}: ${why}`,
  field,
});
export const forbiddenValue = (field: string, why: string): Cause => ({
  reason: "FieldValueForbidden",
  message: `Forbidden: ${why}`,
  field,
});

/** More than a mebibyte of data in a Secret or ConfigMap. */
export function tooLong(resource: Resource, name: string): StatusError {
  const field = resource === secrets ? "data" : "[]";
  return invalid(resource, name, [{ reason: "FieldValueTooLong", message: "Too long: may not be more than 1048576 bytes", field }]);
}

/** The version that the caller starts from is not kept any more: relist. */
export function expired(message: string, metadata: JsonObject = {}): StatusError {
  return new StatusError({ code: 410, reason: "Expired", message, metadata });
}

/** A failure without a reason, as the server's own helpers make them. */
export function internal(message: string): StatusError {
  return new StatusError({ code: 500, message });
}
