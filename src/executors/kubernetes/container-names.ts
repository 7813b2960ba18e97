/** The containers of a pod. The helper runs before all others, and services beside the main one. */
export const mainContainer = "main";
export const helperContainer = "ostler-helper";

/** `position`: among the task's containers, from 1. */
export function serviceContainer(position: number): string {
  return `service-${position}`;
}

/** As users know it. */
export function containerTitle(name: string): string {
  if (name === mainContainer) return "the main container";
  if (name === helperContainer) return "ostler's helper container";
  return name.replace(/^service-/, "service ");
}
