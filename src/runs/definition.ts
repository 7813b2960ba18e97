import { z } from "zod";
import { Environment, Value } from "./environment.ts";
import { fields } from "./fields.ts";
import { Step } from "./steps/registry.ts";

/** What must hold of a parent's status; conditions are OR-ed within a parent and AND-ed across parents. */
export const Condition = z.enum(["on_success", "on_failure", "on_skipped", "always"]);
export type Condition = z.infer<typeof Condition>;

const strings = z.record(z.string(), z.string({ error: "expected a string (quote numbers and booleans)" }));

/** Lists show the annotations of every run, up to 500 at once, and the index keeps them: what is large belongs into an artifact. */
const maxAnnotationChars = 64 * 1024;
const Annotations = strings.refine(
  (all) => Object.entries(all).reduce((sum, [key, value]) => sum + key.length + value.length, 0) <= maxAnnotationChars,
  { error: "names and values must have at most 65,536 characters together" },
);

export const Volume = fields({
  path: z.string(),
  tmpfs: fields({ size: z.string().optional() }),
});

export const Container = fields({
  image: z.string(),
  environment: Environment.optional(),
  user: z.string().optional(),
  privileged: z.boolean().optional(),
  entrypoint: z.array(z.string()).optional(),
  volumes: z.array(Volume).optional(),
  resources: fields({ cpu: z.string().optional(), memory: z.string().optional() }).optional(),
  /** Services only: no step starts before the command has succeeded. */
  readiness: fields({ command: z.array(z.string()), interval: z.string().optional(), timeout: z.string().optional() }).optional(),
});
export type Container = z.infer<typeof Container>;

export const Runtime = fields({
  arch: z.string().optional(),
  /** The first is the main one, the others are services that share its network. */
  containers: z.array(Container),
});
export type Runtime = z.infer<typeof Runtime>;

export const Backoff = fields({
  base: z.string().optional(),
  factor: z.number().min(1).max(100).optional(),
  max: z.string().optional(),
});

/** Bounds the attempts that a task's record can hold. */
const retryLimit = z.number().int().min(0).max(100);

export const TaskDefinition = fields({
  pool: z.string().min(1).max(100).optional(),
  runtime: Runtime,
  labels: strings.optional(),
  /** Parent -> conditions, at least one each. What they are called is checked later: a wrong one is a setup error. */
  depends: z.record(z.string(), z.array(z.string()).min(1).max(4)).optional(),
  environment: Environment.optional(),
  workingDir: z.string().optional(),
  shell: z.string().optional(),
  user: z.string().optional(),
  timeout: z.string().optional(),
  queueTimeout: z.string().optional(),
  startTimeout: z.string().optional(),
  stopGrace: z.string().optional(),
  approvalTimeout: z.string().optional(),
  retry: fields({ limit: retryLimit.optional(), backoff: Backoff.optional() }).optional(),
  infraRetry: fields({ limit: retryLimit.optional() }).optional(),
  ignoreFailure: z.boolean().optional(),
  needsApproval: z.boolean().optional(),
  skip: z.boolean().optional(),
  pod: fields({
    nodeSelector: strings.optional(),
    tolerations: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))).optional(),
    serviceAccount: z.string().optional(),
  }).optional(),
  steps: z.array(Step).max(100, { error: "at most 100 steps" }).optional(),
});
export type TaskDefinition = z.infer<typeof TaskDefinition>;

export const Concurrency = fields({
  key: z.string().min(1).max(256),
  limit: z.number().int().min(1).max(1_000_000).optional(),
  policy: z.enum(["queue", "cancel-queued", "cancel-running"]).optional(),
});
export type Concurrency = z.infer<typeof Concurrency>;

/** An absolute path of two or more percent-encoded segments, at most 1,024 bytes. */
const Group = z
  .string()
  .max(1024, { error: "at most 1,024 bytes" })
  .regex(/^(\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+){2,}$/, {
    error: "must be an absolute path of two or more percent-encoded segments, such as /project/web",
  })
  .refine((group) => group.split("/").every((segment) => segment !== "." && segment !== ".."), {
    error: "must not have a segment . or ..",
  });

/**
 * A run as a client submits it, in its long form: steps have a `type`, `runtime.containers` is there, `depends` maps parents
 * to lists. What is absent stays absent; defaults are applied by `compileGraph` and whoever else reads a field.
 */
export const Definition = fields({
  name: z.string().min(1).max(200),
  group: Group,
  annotations: Annotations.optional(),
  staticEnvironment: Environment.optional(),
  environment: Environment.optional(),
  cacheGroup: z.string().min(1).max(256).optional(),
  concurrency: Concurrency.optional(),
  priority: z.number().int().min(-1_000_000).max(1_000_000).optional(),
  timeout: z.string().optional(),
  queueTimeout: z.string().optional(),
  registries: z.record(z.string(), fields({ username: z.string(), password: Value })).optional(),
  source: z.string().optional(),
  setupErrors: z.array(z.string()).max(1000).optional(),
  tasks: z.record(z.string(), TaskDefinition),
});
export type Definition = z.infer<typeof Definition>;
