# Two images: `api` answers HTTP and has no torch, `worker` trains.
#
#   docker build --target api --tag ravine-api .
#   docker build --target worker --tag ravine-worker .
#
# Where the default package index gives torch with CUDA, which weighs gigabytes, name one that has CPU builds:
#   --build-arg PIP_EXTRA_INDEX_URL=…

# The Python that the tests run on.
FROM python:3.11-slim-bookworm AS base
# One thread for OpenBLAS: the products of a comparison are too small to share.
# The list of fonts goes where this user may write.
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
# Without the sources this installs what Ravine needs and an empty Ravine: a layer that outlives changes of the code.
# What sends traces is there, and does nothing until RAVINE_OTLP_ENDPOINT names a collector.
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
# Refuses to start while there is no API key: every container of this network reaches it.
CMD ["ravine", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
RUN pip install --constraint constraints.txt torch
COPY service service
COPY worker worker
COPY migrations migrations
RUN pip install --no-deps --force-reinstall . && rm -r /build/*
WORKDIR /tmp
USER ravine
# Asks the worker itself through the broker; a shell, because only the container knows its name.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD celery --quiet --app worker.app inspect ping --destination "worker@$HOSTNAME" --timeout 10
CMD ["ravine", "worker"]
