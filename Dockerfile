# The agent on CPUs: OpenAI-compatible API, Studio, MCP.
FROM python:3.11-slim
RUN useradd --create-home --uid 10001 pixelis
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
# torch first, from the index of CPU wheels when one is given: it is a fifth of the size.
ARG TORCH_INDEX=
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)" \
 && pip install --no-cache-dir -c constraints.txt '.[serve,train]' \
 && mkdir /store && chown pixelis /store
USER pixelis
VOLUME /store
EXPOSE 8080
ENV HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
HEALTHCHECK --interval=10s --start-period=60s CMD \
  ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=3)"]
ENTRYPOINT ["pixelis"]
CMD ["serve", "--host", "0.0.0.0", "--store", "/store", "--also", "nano-direct"]
