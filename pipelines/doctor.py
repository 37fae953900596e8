"""``likeness doctor``: what of this machine is ready, and what to do about what is not.

Nothing heavy is imported: a library says its version, and whether it was built for a GPU, without.
"""

import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from likeness.errors import BadInput
from resources.settings import REPOSITORY, Settings

Level = Literal["good", "limited", "bad"]
LIBRARIES = ("dagster", "diffusers", "transformers", "tensorflow", "duckdb", "minio")
LEAST_MEMORY, GOOD_MEMORY = 2.0, 6.0  # GB
LEAST_DISK, GOOD_DISK = 1.0, 10.0  # GB
UI_PORT = 3000
LOCAL = ("127.0.0.1", "localhost")


class Finding(NamedTuple):
    """One thing that was looked at; ``bad`` is needed and not there, ``limited`` costs comfort."""

    what: str
    level: Level
    found: str
    do: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything; a look that fails is a finding too."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        *(_python, _libraries, _device, _memory, _disk),
        *(_dagster, _state, _database, _store, _raw, _studies, _models, _faces, _ports),
    )
    for look in looks:
        try:
            yield from look(settings)
        except BadInput as error:
            yield Finding(look.__name__.strip("_"), "bad", str(error), "as it says")
        except OSError as error:
            yield Finding(look.__name__.strip("_"), "bad", str(error), "check rights and disk")


def _python(_: Settings) -> Iterator[Finding]:
    version = platform.python_version()
    right = sys.version_info[:2] == (3, 11)
    yield Finding("Python", "good" if right else "bad", version, "" if right else "install 3.11")


def _libraries(_: Settings) -> Iterator[Finding]:
    missing = [name for name in ("torch", *LIBRARIES) if util.find_spec(name) is None]
    if missing:
        yield Finding("libraries", "bad", f"missing: {', '.join(missing)}", "make setup")
    else:
        said = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES[:3])
        yield Finding("libraries", "good", said)


def _device(_: Settings) -> Iterator[Finding]:
    from resources.gpu import gpu_indices

    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return
    gpus, cuda = gpu_indices(), _cuda_of_torch()
    if gpus and cuda:
        yield Finding("device", "good", f"{len(gpus)} GPU, torch {version} (CUDA {cuda})")
    elif gpus:
        do = "install a CUDA build of torch: pytorch.org says which"
        yield Finding("device", "bad", f"{len(gpus)} GPU, torch {version} cannot use it", do)
    else:
        cores = len(os.sched_getaffinity(0))
        do = "the small model runs here; sd15 and larger need a GPU"
        yield Finding("device", "limited", f"no GPU, {cores} cores, torch {version}", do)


def _cuda_of_torch() -> str | None:
    """The CUDA version torch was built for, read from its sources: importing it takes seconds."""
    spec = util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = (Path(spec.origin).parent / "version.py").read_text()
    built = re.search(r"^cuda\b[^=]*= *'([^']+)'", text, re.MULTILINE)
    return built[1] if built else None


def _memory(_: Settings) -> Iterator[Finding]:
    pages = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    free = _available() or pages
    found = f"{free:.1f} of {total:.1f} GB available"
    yield _at_least("memory", free, LEAST_MEMORY, GOOD_MEMORY, found, "end other programs")


def _available() -> float | None:
    """GB that programs can get, caches that give way among them; None where nobody says."""
    file = Path("/proc/meminfo")
    said = re.search(r"MemAvailable: +(\d+) kB", file.read_text()) if file.exists() else None
    return int(said[1]) * 1024 / 1e9 if said else None


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(_existing(settings.state_dir)).free / 1e9
    do = "likeness store prune, or another LIKENESS_STATE_DIR"
    yield _at_least("disk", free, LEAST_DISK, GOOD_DISK, f"{free:.1f} GB free for the state", do)


def _at_least(what: str, value: float, least: float, good: float, found: str, do: str) -> Finding:
    level: Level = "good" if value >= good else "limited" if value >= least else "bad"
    return Finding(what, level, found, "" if level == "good" else do)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.absolute().parent)


def _dagster(_: Settings) -> Iterator[Finding]:
    home = os.environ.get("DAGSTER_HOME")
    if home and (Path(home) / "dagster.yaml").is_file():
        yield Finding("Dagster", "good", f"DAGSTER_HOME={home}")
    else:
        found = f"DAGSTER_HOME={home or ''} has no dagster.yaml"
        yield Finding("Dagster", "bad", found, f"make setup, or DAGSTER_HOME={REPOSITORY}")


def _state(settings: Settings) -> Iterator[Finding]:
    folder = settings.state_dir
    if os.access(_existing(folder), os.W_OK):
        yield Finding("state", "good", str(folder))
    else:
        yield Finding("state", "bad", f"{folder} is not writable", "another LIKENESS_STATE_DIR")


def _database(settings: Settings) -> Iterator[Finding]:
    from resources.database import probe

    if settings.database:
        yield Finding("database", "good", probe(settings.database))
    else:
        yield Finding("database", "good", "runs and events lie in the state folder")


def _store(settings: Settings) -> Iterator[Finding]:
    from resources.store import open_store

    cache = settings.state_dir / "read_cache"
    open_store(settings.store_uri, cache, settings.cache_gb).probe()
    yield Finding("store", "good", f"{settings.store_uri}: written, read, removed")


def _raw(settings: Settings) -> Iterator[Finding]:
    if settings.raw is None:
        do = "set LIKENESS_RAW for studies of your own pictures"
        yield Finding("raw files", "limited", "no folder is named", do)
    elif settings.raw.is_dir():
        yield Finding("raw files", "good", str(settings.raw))
    else:
        found = f"there is no folder {settings.raw}"
        yield Finding("raw files", "bad", found, "set LIKENESS_RAW to one, or remove it")


def _studies(settings: Settings) -> Iterator[Finding]:
    from likeness.studies.load import load_registry

    found = load_registry(settings.studies)
    yield Finding("studies", "good", f"{len(found.studies)} without a mistake")


def _models(settings: Settings) -> Iterator[Finding]:
    from likeness.models.local import local_folder
    from likeness.models.registry import spec_of
    from likeness.studies.load import load_registry

    for name in load_registry(settings.studies).models:
        spec = spec_of(name)
        if spec.is_random or local_folder(spec) is not None:
            yield Finding(f"model {name}", "good", "on this machine")
        else:
            do = f"likeness models fetch {name}" if spec.is_hub else "make world"
            found = "not on this machine; studies with it stop at once"
            yield Finding(f"model {name}", "limited", found, do)


def _faces(_: Settings) -> Iterator[Finding]:
    from likeness.faces.backend import DeepFaces
    from likeness.faces.small_backend import FOLDER
    from likeness.models.checksums import SUMS, verify

    if (FOLDER / SUMS).is_file():
        verify(FOLDER)
        yield Finding("faces, small", "good", "weights as they were shipped")
    else:
        yield Finding(
            "faces, small", "bad", f"{FOLDER} is not whole", "git checkout, or make world"
        )
    from likeness.faces.deepface_backend import needed_files

    missing = [file.name for file in needed_files(DeepFaces())]
    if missing:
        do = "fetched on first use; offline, put it there yourself"
        yield Finding("faces, DeepFace", "limited", f"no {', '.join(missing)} yet", do)
    else:
        yield Finding("faces, DeepFace", "good", "VGG-Face is on this machine")
    from likeness.faces.deepface_ages import missing_weights

    if missing_weights():
        do = "fetched before faces are read, for studies with ages: deepface"
        yield Finding("ages, DeepFace", "limited", "no age model yet", do)
    else:
        yield Finding("ages, DeepFace", "good", "the age model is on this machine")


def is_free(port: int) -> bool:
    """Whether a server could listen to this port of this machine."""
    with socket.socket() as probe:
        # as a server binds: a connection that has just ended is not in the way
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def preview_port(url: str) -> int | None:
    """The port at which this machine is to serve pictures; None where another machine does."""
    try:
        address = urlsplit(url)
        return (address.port or 80) if address.hostname in LOCAL else None
    except ValueError as error:
        raise BadInput(f"LIKENESS_PREVIEW_URL={url} is no address ({error}): correct it") from error


def _ports(settings: Settings) -> Iterator[Finding]:
    yield _port("port", UI_PORT, "the UI", "likeness ui --port")
    if port := preview_port(settings.preview_url):
        yield _port("port of pictures", port, "pictures", "another LIKENESS_PREVIEW_URL")


def _port(what: str, port: int, whose: str, do: str) -> Finding:
    if is_free(port):
        return Finding(what, "good", f"{port} is free for {whose}")
    return Finding(what, "limited", f"{port} is taken", f"the UI may run already; else {do}")
