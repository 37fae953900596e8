"""What a study would cost now: each step asked whether its work is in the cache, without doing it.

The assets' own functions are called with a store that only looks, so the answer is that of a run.
A step whose input would be made anew counts as work, though equal bytes may turn it into a hit.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

import dagster as dg
import pandas as pd
from pydantic import BaseModel, ConfigDict, PrivateAttr

from pipelines.driver import plan
from resources.artifacts import Artifacts, Made
from resources.manifest import Manifest
from resources.step import Step

REPORT = "report_job"
Status = Literal["cached", "runs", "cannot run"]


class Expected(BaseModel):
    """One asset of one partition: what a run would do, and the seconds that it took before."""

    model_config = ConfigDict(frozen=True)

    asset: str
    partition: str | None
    status: Status
    reason: str = ""
    seconds: float | None = None


class WouldRun(Exception):
    """This step would work; what comes after it cannot be looked up."""


class Looking(Artifacts):
    """Looks work up and never does it; nothing becomes current."""

    _found: dict[tuple[str, str | None], Manifest] = PrivateAttr(default_factory=dict)
    _coming: set[tuple[str, str | None]] = PrivateAttr(default_factory=set)

    def expect(self, asset: str, partition: str | None) -> None:
        """This artefact would be made anew."""
        self._coming.add((asset, partition))

    def find_current(self, asset: str, partition: str | None) -> Manifest | None:
        """What a run would find here; ``WouldRun`` where it would be made first."""
        if (asset, partition) in self._coming:
            raise WouldRun(f"{asset} comes first")
        return self._found.get((asset, partition)) or super().find_current(asset, partition)

    def make(
        self,
        step: Step,
        partition: str | None,
        params: BaseModel,
        inputs: dict[str, Manifest],
        *,
        located: dict[str, Path] | None = None,
        recompute: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> Made:
        """The artefact if it is there, else ``WouldRun``."""
        return self._known(step.asset, partition, self.fingerprint(step, params, inputs))

    def keep(
        self,
        step: Step,
        partition: str | None,
        folder: Path,
        summary: dict[str, Any],
        inputs: dict[str, Manifest] | None = None,
    ) -> Made:
        """As ``make``: a quick look at the outside world is taken, and not published."""
        return self._known(step.asset, partition, self.look_fingerprint(step, folder, inputs))

    def adopt(self, made: Made) -> None:
        """Current for what is asked next, and only for that."""
        self._found[made.manifest.asset, made.partition] = made.manifest

    def _known(self, asset: str, partition: str | None, fingerprint: str) -> Made:
        found = self.store.find(asset, fingerprint)
        if found is None:
            raise WouldRun
        return Made(manifest=found, partition=partition, hit=True, seconds=0.0)


def estimate(study: str, definitions: dg.Definitions, looking: Looking) -> list[Expected]:
    """All steps of a study in the order in which they run, but for the report."""
    past = _past(looking.warehouse)
    jobs = [(job, key) for job, key in plan(study) if job != REPORT]
    return [
        _expected(looking, asset, key, past)
        for job, key in jobs
        for asset in _in_order(definitions, job)
    ]


def _in_order(definitions: dg.Definitions, job: str) -> Iterator[dg.AssetsDefinition]:
    """The assets of a job, what others need first."""
    wanted = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    graph = definitions.resolve_asset_graph()
    for key in graph.toposorted_asset_keys:
        if key in wanted:
            yield graph.get(key).assets_def


def _expected(
    looking: Looking, asset: dg.AssetsDefinition, key: str | None, past: pd.DataFrame
) -> Expected:
    name = asset.key.to_user_string()
    status, reason = _asked(looking, asset, key)
    if status != "cached":
        looking.expect(name, key)
    seconds = _seconds(past, name, key) if status == "runs" else 0.0
    return Expected(asset=name, partition=key, status=status, reason=reason, seconds=seconds)


def _asked(looking: Looking, asset: dg.AssetsDefinition, key: str | None) -> tuple[Status, str]:
    """Call the asset's function as a run would."""
    function = cast(Any, asset.op.compute_fn).decorated_fn
    form = inspect.signature(function).parameters.get("config")
    given = {"config": form.annotation()} if form else {}
    try:
        with dg.build_asset_context(partition_key=key) as context:
            function(context, artifacts=looking, **given)
    except WouldRun as error:
        return "runs", str(error)
    except dg.Failure as error:
        return "cannot run", str(error.description)
    return "cached", ""


def _past(warehouse: Path) -> pd.DataFrame:
    """Asset, partition and seconds of work done before; empty where there was none."""
    from resources.warehouse import query

    if not warehouse.exists():
        return pd.DataFrame({"asset": [], "partition": [], "seconds": []})
    return query(warehouse, 'SELECT asset, "partition", seconds FROM ledger')


def _seconds(past: pd.DataFrame, asset: str, key: str | None) -> float | None:
    """Of the same step, else the median of its study's, else of all; None where none ever ran."""
    same = past[past["asset"] == asset]
    study = same["partition"].astype("string").str.split("__").str[0] == str(key).split("__")[0]
    for some in (same[same["partition"] == key], same[study], same):
        if len(some):
            return float(some["seconds"].median())
    return None
