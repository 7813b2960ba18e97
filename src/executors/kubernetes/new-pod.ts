import type { PodHandle } from "../driver.ts";

/** Of a pod that this process has only just created it need not be asked which steps were started in it. */
export function asNewPod(pod: PodHandle): PodHandle {
  let isUntouched = true;
  return {
    ...pod,
    startStep: (step, signal) => {
      isUntouched = false;
      return pod.startStep(step, signal);
    },
    startedSteps: async (signal) => (isUntouched ? [] : pod.startedSteps(signal)),
  };
}
