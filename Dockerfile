# Three stages: the front end, the Python environment with IAFA's wheel, and a runtime that holds nothing else.

FROM node:20.19.5-bookworm-slim AS front-end
WORKDIR /build
ENV SCARF_ANALYTICS=false
COPY frontend/package.json frontend/package-lock.json frontend/
COPY tracker-js/package.json tracker-js/package-lock.json tracker-js/
RUN npm --prefix frontend ci --ignore-scripts --no-audit --no-fund \
    && npm --prefix tracker-js ci --ignore-scripts --no-audit --no-fund
COPY frontend frontend
COPY tracker-js tracker-js
RUN npm --prefix frontend run build && npm --prefix tracker-js run build
# The pages of the API's documents load nothing from outside hosts; the reference page's logo would.
RUN mkdir -p backend/iafa/static/tracker backend/iafa/static/docs \
    && cp tracker-js/dist/*.* backend/iafa/static/tracker/ \
    && cp frontend/node_modules/swagger-ui-dist/swagger-ui.css \
        frontend/node_modules/swagger-ui-dist/swagger-ui-bundle.js backend/iafa/static/docs/ \
    && sed 's#https://cdn\.redoc\.ly/redoc/logo-mini\.svg#data:,#' \
        frontend/node_modules/redoc/bundles/redoc.standalone.js > backend/iafa/static/docs/redoc.standalone.js

FROM python:3.11.14-slim-bookworm AS environment
WORKDIR /build
# The runtime writes nothing into the image: without bytecode every start would compile every library again.
ENV UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.8
COPY pyproject.toml uv.lock README.md LICENSE CHANGELOG.md ./
COPY backend backend
COPY --from=front-end /build/backend/iafa/static backend/iafa/static
RUN uv build --wheel --out-dir dist \
    && uv export --quiet --frozen --no-dev --no-emit-project --output-file requirements.txt \
    && uv venv --quiet --python python3 /opt/iafa \
    && uv pip install --python /opt/iafa/bin/python --no-cache --require-hashes --requirement requirements.txt \
    && uv pip install --python /opt/iafa/bin/python --no-cache --no-deps dist/iafa-*.whl

FROM python:3.11.14-slim-bookworm AS runtime
RUN groupadd --system --gid 10001 iafa \
    && useradd --system --uid 10001 --gid iafa --no-create-home --home-dir /data iafa \
    && install --directory --owner iafa --group iafa --mode 0700 /data
COPY --from=environment /opt/iafa /opt/iafa
ENV PATH=/opt/iafa/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    DATA_DIR=/data \
    API_HOST=0.0.0.0 \
    API_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['API_PORT']}/health/live\", timeout=3)"]
ENTRYPOINT ["iafa"]
CMD ["serve"]
