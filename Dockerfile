FROM python:3.11-slim-bookworm

WORKDIR /app
ENV DAGSTER_DISABLE_TELEMETRY=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1

# Libraries first: an edit of the code does not install them again.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > needed.txt \
 && pip install -c constraints.txt -r needed.txt \
 && rm needed.txt

COPY . .
RUN pip install --no-deps -e . \
 && python -m compileall -q likeness resources assets_defs pipelines \
 && useradd --uid 1000 likeness \
 && mkdir /state /raw \
 && chown likeness /app /state /raw
USER likeness
