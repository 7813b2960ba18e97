import { randomUUID } from "node:crypto";
import { z } from "zod";
import { isJsonObject, type Json, type JsonObject, parseJson, textAt } from "./json.ts";
import { type KubeObject, type Metadata, timestamp } from "./kube-object.ts";
import { apiVersionOf, type Resource, resources } from "./resource.ts";
import { badRequest, internal, invalid, invalidValue, required } from "./status-error.ts";

const Labels = z.record(z.string(), z.string()).optional();
const MetadataDraft = z.looseObject({
  name: z.string().optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  labels: Labels,
  annotations: Labels,
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z
    .array(
      z.object({
        apiVersion: z.string(),
        kind: z.string(),
        name: z.string(),
        uid: z.string().default(""),
        controller: z.boolean().optional(),
        blockOwnerDeletion: z.boolean().optional(),
      }),
    )
    .optional(),
});
export type MetadataDraft = z.infer<typeof MetadataDraft>;

/** What a caller has sent: metadata that has been looked at, and the rest as it came. */
export interface Draft {
  readonly metadata: MetadataDraft;
  readonly rest: JsonObject;
}

/** Parses a body for a kind; a body without kind and apiVersion is taken as the right one. Throws 400. */
export function parseDraft(text: string, resource: Resource): Draft {
  return draftOf(parseBody(text, resource), resource);
}

function parseBody(text: string, resource: Resource): JsonObject {
  const unrecognised = (why: string, shown: string) =>
    badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error: ${why} (${shown})`,
    );
  if (text === "") throw unrecognised("unexpected end of JSON input", "<empty>");
  let body: Json;
  try {
    body = parseJson(text);
  } catch {
    const at = /[,{]\s*([^"\s}])/.exec(text)?.[1] ?? "";
    throw unrecognised(`invalid character '${at}' looking for beginning of object key string`, text);
  }
  if (!isJsonObject(body)) throw unrecognised("json: cannot unmarshal into Go value", text);
  return body;
}

/** The same for an object that is there already (after a patch). Throws 400. */
export function draftOf(body: JsonObject, resource: Resource): Draft {
  const { kind: ownKind, apiVersion: ownVersion, metadata: ownMetadata, ...rest } = body;
  checkKind(textAt(body, "kind"), textAt(body, "apiVersion"), resource);
  const metadata = MetadataDraft.safeParse(ownMetadata ?? {});
  if (metadata.success) return { metadata: metadata.data, rest };
  throw badRequest(`${resource.kind} in version "${ownVersion}" cannot be handled as a ${ownKind}: json: cannot unmarshal metadata`);
}

function checkKind(kind: string | undefined, apiVersion: string | undefined, resource: Resource): void {
  const expected = apiVersionOf(resource);
  if (kind !== undefined && kind !== "" && kind !== resource.kind) {
    const known = resources.some((other) => other.kind === kind);
    const why = known ? `converting (v1.${kind}) to (core.${resource.kind}): unknown conversion` : `no kind "${kind}" is registered`;
    throw badRequest(`${kind} in version "${apiVersion ?? expected}" cannot be handled as a ${resource.kind}: ${why}`);
  }
  if (apiVersion !== undefined && apiVersion !== "" && apiVersion !== expected) {
    const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
    throw badRequest(
      `${resource.kind} in version "${apiVersion}" cannot be handled as a ${resource.kind}: no kind "${resource.kind}" is registered for version "${apiVersion}" ${scheme}`,
    );
  }
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** The object that a create makes, before the defaults of its kind. Throws 400, 422 and 500. */
export function newObject(draft: Draft, resource: Resource, namespace: string | undefined): KubeObject {
  const { metadata } = draft;
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== "") {
    throw internal("resourceVersion should not be set on objects to be created");
  }
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const name = metadata.name ?? generatedName(metadata.generateName);
  if (name === undefined) {
    throw invalid(resource, "", [{ ...required("metadata.name"), message: "Required value: name or generateName is required" }]);
  }
  if (metadata.ownerReferences?.some((owner) => owner.uid === "") === true) {
    throw invalid(resource, name, [invalidValue("metadata.ownerReferences.uid", '""', "uid must not be empty")]);
  }
  const made: Metadata = {
    name,
    uid: randomUUID(),
    creationTimestamp: timestamp(Date.now()),
    ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
    ...callersPart(metadata),
  };
  return { ...draft.rest, kind: resource.kind, apiVersion: apiVersionOf(resource), metadata: made };
}

/** What callers decide about metadata, also when they replace an object. */
export function callersPart(metadata: MetadataDraft): Partial<Metadata> {
  const { generateName, labels, annotations, ownerReferences, finalizers } = metadata;
  return {
    ...(generateName === undefined ? {} : { generateName }),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(ownerReferences === undefined || ownerReferences.length === 0 ? {} : { ownerReferences: ownerReferences.map(withoutAbsent) }),
    ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }),
  };
}

type OwnerDraft = NonNullable<MetadataDraft["ownerReferences"]>[number];

function withoutAbsent({ controller, blockOwnerDeletion, ...owner }: OwnerDraft) {
  return {
    ...owner,
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  };
}

function generatedName(prefix: string | undefined): string | undefined {
  if (prefix === undefined) return undefined;
  const suffix = Array.from({ length: 5 }, () => suffixAlphabet[Math.floor(Math.random() * suffixAlphabet.length)]);
  return prefix + suffix.join("");
}
