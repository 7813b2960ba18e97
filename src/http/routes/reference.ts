import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { OstlerError } from "../../errors.ts";
import type { HttpEnv } from "../env.ts";
import { ErrorBody } from "../errors.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

/** The files of the reference page. They are served from here: a page that loads them from elsewhere shows nothing without internet. */
const files: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

const start = `window.addEventListener("load", () => {
  SwaggerUIBundle({ url: "../openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });
});
`;

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>ostler: API reference</title>
    <meta name="viewport" content="width=device-width">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="reference"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const title = "ostler";
const about = "Runs DAGs of containerised tasks. Every answer that is not 2xx has the body `Error`; every POST takes an `Idempotency-Key`.";

const binary = (type: string, description: string) => ({
  content: { [type]: { schema: z.never().openapi({ type: "string" }) } },
  description,
});

const document = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  request: { query: noQuery },
  responses: { 200: { content: { "application/json": { schema: z.record(z.string(), z.unknown()) } }, description: "OpenAPI 3.1" } },
});

const reference = createRoute({
  method: "get",
  path: "/docs",
  summary: "This description as a page",
  request: { query: noQuery },
  responses: { 200: binary("text/html", "The page") },
});

const asset = createRoute({
  method: "get",
  path: "/docs/{file}",
  hide: true,
  request: { params: z.object({ file: z.string() }), query: noQuery },
  responses: { 200: binary("application/octet-stream", "A file of the page") },
});

/** The description of all routes of `app`, made once, when it is first asked for. */
function describe(app: OpenAPIHono<HttpEnv>, version: string): Record<string, unknown> {
  const { paths = {}, ...rest } = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title, version, description: about, license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" } },
    servers: [{ url: "/" }],
    security: [{ token: [] }, {}],
  });
  const failure = { description: "What went wrong", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
  const withFailures = Object.entries(paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations ?? {}).map(([method, operation]) => [
        method,
        { ...operation, responses: { ...operation.responses, default: failure } },
      ]),
    ),
  ]);
  return { ...rest, paths: Object.fromEntries(withFailures) };
}

/** `app` is the one that this is mounted in: what it describes is complete only once everything is mounted. */
export function referenceRoutes(app: OpenAPIHono<HttpEnv>, version: string) {
  const resolve = createRequire(import.meta.url).resolve;
  app.openAPIRegistry.register("Error", ErrorBody);
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  let described: Record<string, unknown> | undefined;

  return createRouter()
    .openapi(document, (c) => {
      described ??= describe(app, version);
      return c.json(described, 200);
    })
    .openapi(reference, (c) => c.html(page))
    .openapi(asset, async (c) => {
      const { file } = c.req.valid("param");
      if (file === "start.js") return c.body(start, 200, { "content-type": "text/javascript; charset=utf-8" });
      const type = Object.hasOwn(files, file) ? files[file] : undefined;
      if (type === undefined) throw new OstlerError("not_found", "no such file");
      const bytes = await readFile(resolve(`swagger-ui-dist/${file}`));
      return c.body(new Uint8Array(bytes), 200, { "content-type": type, "cache-control": "max-age=86400" });
    });
}
