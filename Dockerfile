# One image for every part: PARTS and the addresses of the stores decide what a container is. With no setting it is the embedded deployment, which
# keeps everything in /data. Nothing else is written but the compile cache in /tmp, so the root file system may be read-only.
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-fund --no-audit

FROM packages AS website
RUN npm ci --no-fund --no-audit
COPY domain domain
COPY web web
COPY main/website.ts main/website.ts
RUN node main/website.ts --force

FROM node:26-slim
ENV NODE_ENV=production \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=/tmp/compile-cache \
    MALLOC_ARENA_MAX=2
WORKDIR /app
RUN install -d -o node -g node -m 0700 /data
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY domain domain
COPY ports ports
COPY db db
COPY adapters adapters
COPY broker broker
COPY ingest ingest
COPY notifier notifier
COPY api api
COPY simulators simulators
COPY main main
COPY --from=website /app/web/dist web/dist
USER node
VOLUME /data
EXPOSE 8080 1883 8083 8883 8084
# Whether it lives, not whether it is ready: a store that is down is no reason to restart what waits for it.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 8080}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# What `npm run start:part` runs.
CMD ["node", "--max-semi-space-size=32", "main/main.ts"]
