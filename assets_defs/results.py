"""What every expensive asset reports to the UI, and how its failure reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import ValidationError

from likeness.errors import BadInput
from resources.artifacts import Artifacts, Made
from resources.compute import TaskFailed
from resources.preview import link
from resources.shortage import shortage


@contextmanager
def readable_failures() -> Iterator[None]:
    """Bad input fails the step with its one sentence and no retry; what else fails may be retried.

    A machine without memory or room says so in one sentence too.
    """
    try:
        yield
    except BadInput as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        sentence = f"{where}: {said}" if where else said
        raise dg.Failure(description=sentence, allow_retries=False) from error
    except TaskFailed as error:
        raise dg.Failure(description=str(error)) from error
    except Exception as error:
        if lacking := shortage(error):
            raise dg.Failure(description=lacking) from error
        raise


def said_by(context: dg.AssetExecutionContext) -> Callable[[str], None]:
    """Passes lines of the working process to the log of the run."""
    return lambda line: context.log.info(line)


def result(
    artifacts: Artifacts,
    made: Made,
    *,
    previews: tuple[str, ...] = (),
    checks: tuple[dg.AssetCheckResult, ...] = (),
    **more: Any,
) -> dg.MaterializeResult:
    """Adopt what passed its checks; how it came, from what, at what cost; figures and pictures."""
    if all(check.passed or check.severity == dg.AssetCheckSeverity.WARN for check in checks):
        artifacts.adopt(made)
    manifest = made.manifest
    figures = {k: v for k, v in manifest.summary.items() if isinstance(v, int | float | str)}
    tables = {k: dg.MetadataValue.json(v) for k, v in manifest.summary.items() if k not in figures}
    files = {entry.path for entry in manifest.files}
    pictures = {
        name.split(".")[0]: link(artifacts.preview_url, manifest, name)
        for name in previews
        if name in files
    }
    return dg.MaterializeResult(
        # In the order in which the page shows them: what people look for first.
        metadata={
            **pictures,
            **figures,
            "cache": "hit" if made.hit else "miss",
            "cache_hit": int(made.hit),
            "seconds": round(made.seconds, 2),
            "computed_in_seconds": round(manifest.seconds, 2),
            "gpu_seconds": round(manifest.gpu_seconds, 2),
            "peak_memory_mb": round(manifest.peak_memory_mb),
            "bytes": manifest.bytes_total,
            "artifact": f"{manifest.asset}/{manifest.fingerprint}",
            **more,
            **tables,
            "inputs": dg.MetadataValue.json(manifest.inputs),
            "params": dg.MetadataValue.json(manifest.params),
        },
        data_version=dg.DataVersion(manifest.content),
        check_results=list(checks),
    )
