import type { Json, JsonObject } from "./json.ts";

/** What points from a dependent to its owner. */
export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** The part that all kinds share. Times are RFC 3339 in whole seconds, UTC. */
export type Metadata = {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid: string;
  /** Absent on an object that a dry run has made. */
  readonly resourceVersion?: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
};

/** A stored object of any kind. */
export type KubeObject = {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Metadata;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly [field: string]: Json;
};

/** A moment as the API writes it: whole seconds, UTC. */
export function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** A moment as Leases and Events write it: exactly six digits. */
export function microTimestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}
