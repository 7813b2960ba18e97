import { PodError, type PodWishes } from "../driver.ts";

/** What the administrator lets tasks ask for: names of labels and taints, alone or with a value (`size=big`); `*` is all. */
export interface AllowedWishes {
  readonly nodeSelectors: readonly string[];
  readonly tolerations: readonly string[];
  readonly serviceAccounts: readonly string[];
}

/** Throws PodError, naming the setting, if the task wishes for more than the administrator allows. */
export function checkWishes({ nodeSelector, tolerations, serviceAccount }: PodWishes, allowed: AllowedWishes): void {
  for (const [name, value] of Object.entries(nodeSelector)) {
    if (!allows(allowed.nodeSelectors, name, value)) refuse(`the node selector ${name}=${value}`, "OSTLER_KUBERNETES_NODE_SELECTORS");
  }
  for (const { key, value } of tolerations) {
    // A toleration without a key tolerates every taint.
    const name = key === undefined ? "*" : String(key);
    if (!allows(allowed.tolerations, name, value === undefined ? undefined : String(value))) {
      refuse(`the toleration of ${name === "*" ? "every taint" : name}`, "OSTLER_KUBERNETES_TOLERATIONS");
    }
  }
  if (serviceAccount !== undefined && !allows(allowed.serviceAccounts, serviceAccount, undefined)) {
    refuse(`the service account ${serviceAccount}`, "OSTLER_KUBERNETES_SERVICE_ACCOUNTS");
  }
}

function allows(allowed: readonly string[], name: string, value: string | undefined): boolean {
  return allowed.includes("*") || allowed.includes(name) || (value !== undefined && allowed.includes(`${name}=${value}`));
}

function refuse(what: string, setting: string): never {
  throw new PodError("config", `${what} is not allowed by this executor's ${setting}`);
}
