# Two images: `api` answers HTTP and has no torch, `worker` trains.
#
#   docker build --target api --tag ravine-api .
#   docker build --target worker --tag ravine-worker .
#
# If the default package index has torch with CUDA only, which takes gigabytes, add an index with CPU builds:
#   --build-arg PIP_EXTRA_INDEX_URL=…

# The same version of Python as in the tests.
FROM python:3.11-slim-bookworm AS base
# One thread for OpenBLAS, because the products of a comparison are small.
# matplotlib writes its list of fonts to MPLCONFIGDIR, which must be writable.
ENV OPENBLAS_NUM_THREADS=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ravine
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
ARG PIP_EXTRA_INDEX_URL=
# Without the sources this installs the dependencies and an empty package: a layer that changes of the code keep valid.
# OpenTelemetry is installed, and is inactive until RAVINE_OTLP_ENDPOINT names a collector.
RUN pip install --constraint constraints.txt ".[tracing]"

FROM base AS api
COPY service service
COPY worker worker
COPY migrations migrations
RUN pip install --no-deps --force-reinstall . && rm -r /build/*
WORKDIR /tmp
USER ravine
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Fails at the start without an API key, because other containers of the network can reach this address.
CMD ["ravine", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
# torch, and what the problems need.
RUN pip install --constraint constraints.txt ".[tracing,worker]"
COPY service service
COPY worker worker
COPY migrations migrations
RUN pip install --no-deps --force-reinstall . && rm -r /build/*
WORKDIR /tmp
USER ravine
# Pings the worker through the broker. Runs in a shell, because the name of the worker contains $HOSTNAME.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD celery --quiet --app worker.app inspect ping --destination "worker@$HOSTNAME" --timeout 10
CMD ["ravine", "worker"]
