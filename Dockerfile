# `tracker serve` without root, on a file system that it cannot write to: docs/serve.md, "In a container".
#   docker compose up
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE lean.txt ./
COPY tracker tracker
COPY weights weights
# The lean install: a container has neither a screen nor, by default, a GPU.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir -r lean.txt "starlette>=1" "uvicorn>=0.54,<1" "websockets>=16" \
 && /venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65534:65534
EXPOSE 8468
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8468/api/health', timeout=4)"]
ENTRYPOINT ["tracker", "serve", "--host", "0.0.0.0"]
