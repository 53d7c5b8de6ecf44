# Two images: `api` answers HTTP and has no torch, `worker` trains.
#
#   docker build --target api --tag ravine-api .
#   docker build --target worker --tag ravine-worker .
#
# If the default package index has torch with CUDA only, which takes gigabytes, add an index with CPU builds:
#   --build-arg PIP_EXTRA_INDEX_URL=…
# pip's configuration of this machine, for an index of your own: --secret id=pip,src=/etc/pip.conf
# `make images` builds both without a container engine.

# The same version of Python as in the tests. The digest is that of the index of all platforms.
ARG BASE_IMAGE=docker.io/library/python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d
FROM ${BASE_IMAGE} AS base
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
ARG PIP_EXTRA_INDEX_URL=
# The dependencies with the hashes of their files (`make hashes`): a layer that changes of the code keep valid.
# OpenTelemetry is installed, and is inactive until RAVINE_OTLP_ENDPOINT names a collector.
COPY deploy/requirements/api.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --require-hashes --requirement requirements/api.txt

FROM base AS api
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY worker worker
COPY migrations migrations
RUN pip install --no-index --no-deps --no-build-isolation . && rm -r /build/*
WORKDIR /tmp
USER ravine
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Fails at the start without an API key, because other containers of the network can reach this address.
CMD ["ravine", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
# What the problems need, then torch. Its files differ between indexes, so its hash is an argument: with TORCH_SHA256
# all packages are verified; without it torch, and the CUDA packages of a CUDA build, are pinned by version only.
COPY deploy/requirements/worker.txt constraints.txt requirements/
ARG TORCH_SHA256=
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --require-hashes --requirement requirements/worker.txt \
    && torch="$(grep '^torch==' requirements/constraints.txt)" \
    && if [ -n "$TORCH_SHA256" ]; then \
        echo "$torch --hash=sha256:$TORCH_SHA256" > requirements/torch.txt \
        && pip install --require-hashes --requirement requirements/torch.txt; \
    else \
        pip install --constraint requirements/constraints.txt "$torch"; \
    fi
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY worker worker
COPY migrations migrations
RUN pip install --no-index --no-deps --no-build-isolation . && rm -r /build/*
WORKDIR /tmp
USER ravine
# Pings the worker through the broker. Runs in a shell, because the name of the worker contains $HOSTNAME.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD celery --quiet --app worker.app inspect ping --destination "worker@$HOSTNAME" --timeout 10
CMD ["ravine", "worker"]
