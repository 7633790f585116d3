# The server, in two images that differ only in what computes, and the page with its camera:
#   docker build --target cpu --tag motionscribe:cpu .
#   docker build --target gpu --tag motionscribe:gpu .        # run it with --gpus all; NVIDIA driver 580 or newer
#   docker run --publish 127.0.0.1:50051:50051 --volume motionscribe:/data motionscribe:cpu
#   docker build --target page --tag motionscribe:page .      # its arguments are those of `motionscribe page`
#   docker run --publish 127.0.0.1:8080:8080 --volume ./token:/token motionscribe:page \
#     --address HOST:50051 --token-file /token --plaintext
# Its port speaks plaintext unless it has a certificate: publish it on loopback, as above. Its health is asked over HTTP on
# the port of metrics, which is the container's alone. Flags and MOTIONSCRIBE_* variables are those of motionscribe-server.
# /models holds the shipped models: mount a folder there to serve others. /data keeps the clusters that users named. The
# pip lines are those of the Makefile, without --editable.

FROM python:3.12-slim-bookworm AS cpu-base
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/*

# CUDA 13 and cuDNN 9, which onnxruntime-gpu from 1.27 on is built for
FROM nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04 AS gpu-base
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv tini && rm -rf /var/lib/apt/lists/*

# the pose model of the page's camera, which runs in browsers; the version is that of `make camera`
FROM node:20-bookworm-slim AS camera
RUN npm install --silent --no-save --prefix /camera @mediapipe/pose@0.5.1675469404

FROM cpu-base AS cpu-build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY client client
COPY server server
COPY training training
COPY models/motionscribe_models models/motionscribe_models
COPY proto proto
RUN python3 -m venv /opt/motionscribe
RUN --mount=type=cache,target=/root/.cache/pip /opt/motionscribe/bin/pip install --quiet '.[server-cpu,redis,page]'

FROM gpu-base AS gpu-build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY client client
COPY server server
COPY training training
COPY models/motionscribe_models models/motionscribe_models
COPY proto proto
RUN python3 -m venv /opt/motionscribe
# not [server]: its extras cuda and cudnn are a second copy of the libraries of this base
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/motionscribe/bin/pip install --quiet '.[serving,redis]' 'onnxruntime-gpu>=1.27,<2'

FROM cpu-base AS cpu
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin motionscribe \
    && install --directory --owner motionscribe /data
COPY --from=cpu-build /opt/motionscribe /opt/motionscribe
COPY models/body /models/body
COPY models/body2d /models/body2d
COPY models/cmu-expmap /models/cmu-expmap
ENV PATH=/opt/motionscribe/bin:$PATH \
    MOTIONSCRIBE_PORT=50051 \
    MOTIONSCRIBE_METRICS_PORT=9464 \
    MOTIONSCRIBE_MODELS=/models \
    MOTIONSCRIBE_STORAGE_LOCATION=/data/motionscribe.sqlite
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD python -c "\
import http.client, os; \
server = http.client.HTTPConnection('127.0.0.1', int(os.environ['MOTIONSCRIBE_METRICS_PORT']), timeout=4); \
server.request('GET', '/healthz'); \
raise SystemExit(server.getresponse().status != 200)"
ENTRYPOINT ["tini", "--", "motionscribe-server", "--host=0.0.0.0", "--security-plaintext"]

FROM cpu AS page
COPY --from=camera /camera /camera
EXPOSE 8080
HEALTHCHECK NONE
ENTRYPOINT ["tini", "--", "motionscribe", "page", "--host=0.0.0.0", "--camera=/camera"]

# what follows FROM is the same as that of cpu: a Dockerfile cannot say it once
FROM gpu-base AS gpu
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin motionscribe \
    && install --directory --owner motionscribe /data
COPY --from=gpu-build /opt/motionscribe /opt/motionscribe
COPY models/body /models/body
COPY models/body2d /models/body2d
COPY models/cmu-expmap /models/cmu-expmap
ENV PATH=/opt/motionscribe/bin:$PATH \
    MOTIONSCRIBE_PORT=50051 \
    MOTIONSCRIBE_METRICS_PORT=9464 \
    MOTIONSCRIBE_MODELS=/models \
    MOTIONSCRIBE_STORAGE_LOCATION=/data/motionscribe.sqlite
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD python -c "\
import http.client, os; \
server = http.client.HTTPConnection('127.0.0.1', int(os.environ['MOTIONSCRIBE_METRICS_PORT']), timeout=4); \
server.request('GET', '/healthz'); \
raise SystemExit(server.getresponse().status != 200)"
ENTRYPOINT ["tini", "--", "motionscribe-server", "--host=0.0.0.0", "--security-plaintext"]
