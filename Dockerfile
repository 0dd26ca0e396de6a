# pkigen in a small image: docs/how-to/container.md says how it is used.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY profiles profiles
COPY pkigen pkigen
# The environment has no pip of its own: nothing is installed into it later.
RUN python -m pip wheel --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /src/dist . \
 && python -m venv --without-pip /opt/pkigen \
 && python -m pip --python /opt/pkigen/bin/python install --no-cache-dir --disable-pip-version-check /src/dist/*.whl

FROM python:${PYTHON}-slim
COPY --from=build /opt/pkigen /opt/pkigen
RUN install -d -o 10001 -g 10001 /work
# The root file system can be read-only: what is written is below /work, and in /tmp.
ENV PATH=/opt/pkigen/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /work
USER 10001:10001
# By `pkigen serve`: CRLs, CA certificates and OCSP, and with --tls-port the certificates.
EXPOSE 8080 8443
# For `pkigen serve`, which has the path /healthz at its HTTP port; no proxy is asked.
ENV HEALTH_PORT=8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", "import os, urllib.request as r; \
r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['HEALTH_PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["pkigen"]
CMD ["--help"]
