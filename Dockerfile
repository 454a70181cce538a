# docker build -t sluice . && docker run --rm -v "$PWD:/data" sluice kmeans table.csv --n-clusters 8 -o out
FROM debian:12-slim AS build
WORKDIR /src
# The package lists first: they change rarely, so this layer is kept.
COPY tools/setup.sh tools/requirements.txt tools/
COPY tools/packages tools/packages
RUN tools/setup.sh core python && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make install PREFIX=/opt/sluice JOBS="$(nproc)"

FROM debian:12-slim
WORKDIR /src
COPY tools/setup.sh tools/
COPY tools/packages tools/packages
RUN tools/setup.sh runtime && rm -rf /var/lib/apt/lists/*
# The Parquet plug-in uses the Arrow libraries of the pyarrow wheel, at the place it was built against.
COPY --from=build /src/.venv/lib/python3.11/site-packages/pyarrow /src/.venv/lib/python3.11/site-packages/pyarrow
COPY --from=build /opt/sluice /usr/local
WORKDIR /data
ENTRYPOINT ["/usr/local/bin/sluice"]
