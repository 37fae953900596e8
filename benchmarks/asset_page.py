"""How long the page of an asset takes to answer: 200 experiments, each made three times.

python benchmarks/asset_page.py [EXPERIMENTS]

A real webserver over SQLite; what is asked is what the page asks for its partitions and its newest
events, with all their metadata.
"""

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from common import RESULTS
from load import EXPERIMENTS, ROOT, study_of

TIMES = 3
ASSET = '{path: ["images", "made"]}'
ENTRIES = """
metadataEntries {
  label ...on TextMetadataEntry {text} ...on FloatMetadataEntry {floatValue}
  ...on IntMetadataEntry {intValue} ...on JsonMetadataEntry {jsonString}
  ...on MarkdownMetadataEntry {mdStr}
}
"""
QUESTIONS = {
    "definition": f"""{{assetNodeOrError(assetKey: {ASSET}) {{...on AssetNode {{
      description groupName kinds opVersion hasMaterializePermission
      dependencyKeys {{path}} dependedByKeys {{path}} configField {{configType {{key}}}}
    }}}}}}""",
    "partitions": f"""{{assetNodeOrError(assetKey: {ASSET}) {{...on AssetNode {{
      partitionKeysByDimension {{name partitionKeys}}
      partitionStats {{numMaterialized numPartitions numFailed}}
      assetPartitionStatuses {{...on DefaultPartitionStatuses {{
        materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions
      }}}}
    }}}}}}""",
    "one partition": f"""{{assetNodeOrError(assetKey: {ASSET}) {{...on AssetNode {{
      latestMaterializationByPartition(partitions: ["PARTITION"]) {{runId timestamp {ENTRIES}}}
      staleStatus(partition: "PARTITION")
    }}}}}}""",
    "newest events": f"""{{assetOrError(assetKey: {ASSET}) {{...on Asset {{
      assetMaterializations(limit: 100) {{runId timestamp partition {ENTRIES}}}
    }}}}}}""",
}


def fill(state: Path, partitions: list[str]) -> None:
    """What runs would have reported, with as much metadata as they report."""
    import dagster as dg

    from resources.run_storage import open_instance

    params = {"prompts": [f"a dog on beach {n}" for n in range(50)], "seeds": list(range(10))}
    with open_instance() as instance:
        for time_ in range(TIMES):
            for partition in partitions:
                address = f"http://127.0.0.1:3001/images/made/{'0' * 64}/preview.jpg"
                metadata: dict[str, Any] = {
                    "preview": dg.MetadataValue.md(f"![preview.jpg]({address})"),
                    "cache": "hit" if time_ else "miss",
                    "params": dg.MetadataValue.json(params),
                    "inputs": dg.MetadataValue.json({"model": "0" * 64}),
                }
                metadata |= {name: 1.5 for name in ("seconds", "gpu_seconds", "peak_memory_mb")}
                instance.report_runless_asset_event(
                    dg.AssetMaterialization(
                        ["images", "made"], partition=partition, metadata=metadata
                    )
                )


@contextmanager
def webserver() -> Iterator[str]:
    """The address of a real one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [str(Path(sys.executable).parent / "dagster-webserver"), "-w", "workspace.yaml"]
    process = subprocess.Popen([*command, "-h", "127.0.0.1", "-p", port], cwd=ROOT)
    address = f"http://127.0.0.1:{port}/graphql"
    try:
        for _ in range(180):
            try:
                ask(address, "{version}")
                break
            except OSError:
                time.sleep(1)
        yield address
    finally:
        process.terminate()
        process.wait()


def ask(address: str, question: str) -> dict[str, Any]:
    """The answer to a GraphQL question."""
    body = json.dumps({"query": question}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        said = json.load(answer)
    assert "errors" not in said, said
    return dict(said["data"])


def main(count: int) -> None:
    """Each question first as nobody had asked before, then again."""
    study = study_of(count)
    partitions = [f"load__{key}" for key in study.experiments]
    with TemporaryDirectory(prefix="likeness-page-") as name:
        state, studies = Path(name) / "state", Path(name) / "studies"
        state.mkdir()
        studies.mkdir()
        text = yaml.safe_dump(study.model_dump(mode="json", exclude_defaults=True))
        (studies / "load.yaml").write_text(text)
        os.environ |= {
            "DAGSTER_HOME": str(ROOT),
            "LIKENESS_STATE_DIR": str(state),
            "LIKENESS_STUDIES": str(studies),
        }
        fill(state, partitions)
        with (
            webserver() as address,
            (RESULTS / "asset_page.csv").open("w", newline="") as file,
        ):
            rows = csv.writer(file)
            rows.writerow(["what", "first_seconds", "again_seconds", "experiments", "events"])
            for what, question in QUESTIONS.items():
                question = question.replace("PARTITION", partitions[-1])
                seconds = []
                for _ in range(4):
                    began = time.perf_counter()
                    said = ask(address, question)
                    seconds.append(time.perf_counter() - began)
                # an error has none of the fields that were asked for
                assert all(said.values()), said
                if what == "partitions":
                    made = said["assetNodeOrError"]["partitionStats"]["numMaterialized"]
                    assert made == count, made
                row = [what, f"{seconds[0]:.2f}", f"{min(seconds[1:]):.2f}", count, count * TIMES]
                rows.writerow(row)
                print(*row, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EXPERIMENTS)
