/** What programs import from the package: the typed client of the REST API, and the shapes that it answers. */
export { ApiError } from "./client/api-error.ts";
export type { Artifact } from "./client/artifacts.ts";
export { type Client, createClient } from "./client/client.ts";
export type { FollowInstallation, InstallationEvent } from "./client/installation-events.ts";
export type { LogAddress, LogPart, LogQuery } from "./client/logs.ts";
export type { StreamOptions } from "./client/resume-stream.ts";
export type { EventPage, Restart, RunList, RunQuery, RunSummary } from "./client/runs.ts";
export type { TransportOptions } from "./client/transport.ts";
export type { AttemptView, RestartPlan, RunEvent, RunView, StepView, TaskView, WaitingReason } from "./runs/view.ts";
