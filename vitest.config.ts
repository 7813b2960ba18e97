import { defineConfig } from "vitest/config";

/** Tests run against real servers and processes: generous limits, no retries (a flaky test is a bug), two files at a time. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    retry: 0,
    // As long as `until` waits: on a busy machine a second is nothing.
    expect: { poll: { timeout: 15_000 } },
    reporters: ["default"],
    restoreMocks: true,
    unstubEnvs: true,
  },
});
