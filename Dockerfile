# syntax=docker/dockerfile:1
# One image for every role. NODE_IMAGE may be any Debian-like image with Node 24 and npm.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the image has the right Node, and what else has one does without it.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY scripts/copy-assets.mjs scripts/copy-assets.mjs
COPY src src
COPY examples examples
COPY LICENSE ./
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# tini hands signals on and reaps what steps leave behind; git is what most first steps of a process executor need.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git tini \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /var/lib/ostler && chown 1000:1000 /var/lib/ostler && chmod 700 /var/lib/ostler
ENV NODE_ENV=production OSTLER_DATA_DIR=/var/lib/ostler
WORKDIR /opt/ostler
COPY --from=build /build/package.json /build/LICENSE ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/dist dist
COPY --from=build /build/examples examples
RUN ln -s /opt/ostler/bin/ostler.js /usr/local/bin/ostler
USER 1000:1000
VOLUME /var/lib/ostler
EXPOSE 7070
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "ostler"]
CMD ["serve"]
