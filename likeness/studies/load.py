"""Read study files, resolve ``extends``, and answer which partition keys exist."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from likeness.edit.editors import Imported, PromptToPrompt, Regenerate
from likeness.errors import BadInput
from likeness.models.registry import spec_of
from likeness.studies.editing import BenchEdits, Editing
from likeness.studies.experiment import (
    AnyExperiment,
    DreamBooth,
    Experiment,
    LearnedWord,
    OfClass,
)
from likeness.studies.schema import Network, Painter, Study
from likeness.studies.subject import Subject

SHIPPED = Path(__file__).parent
PARTS = ("subjects", "painters", "networks", "experiments")
# One kind or another: half of each would be neither.
WHOLE = {"split", "seeds", "prompts", "ages"}


def merge(base: Any, change: Any) -> Any:
    """``base`` with ``change`` laid over it: mappings merge key by key, all else is replaced."""
    if isinstance(base, dict) and isinstance(change, dict):
        merged = {
            key: value if _is_whole(key, base.get(key), value) else merge(base.get(key), value)
            for key, value in change.items()
        }
        return base | merged
    return change


def _is_whole(key: str, base: Any, change: Any) -> bool:
    """Whether a value is replaced as one: the fields of one method mean nothing to another."""
    if key == "method" and isinstance(base, dict) and isinstance(change, dict):
        return "name" in change and change["name"] != base.get("name")
    return key in WHOLE


def _resolve(entries: dict[str, Any], key: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """One painter, network or experiment with everything it ``extends`` in the same mapping."""
    entry = dict(entries[key])
    parent = entry.pop("extends", None)
    if parent is None:
        return entry
    if parent not in entries or parent in (*seen, key):
        raise BadInput(f"'{key}' extends '{parent}', which is not there or leads back to itself")
    return merge(_resolve(entries, parent, (*seen, key)), entry)


class _Strict(yaml.CSafeLoader):
    """YAML in which a key stands once; by itself it would quietly keep the last of two."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                what = f"the key '{key.value}' stands here twice"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_raw(file: Path) -> dict[str, Any]:
    """A study file as plain data, each entry with all that it extends; BadInput as a sentence."""
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), _Strict)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is not readable YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise BadInput(f"{file} is empty or no mapping: a study needs at least name and title")
    try:
        for part in PARTS:
            entries = raw.get(part) or {}
            raw[part] = {key: _resolve(entries, key) for key in entries}
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise BadInput(
            f"{file}: subjects, painters, networks and experiments map a key to its fields"
        ) from error
    return raw


def read_study(file: Path) -> Study:
    """One study; a mistake is one sentence with file and field."""
    raw = read_raw(file)
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise BadInput(f"{file}: {_first_problem(error)}") from error
    if study.name != file.stem:
        raise BadInput(f"{file} calls itself '{study.name}': name and file name must be the same")
    return study


def _first_problem(error: ValidationError) -> str:
    first, more = error.errors()[0], error.error_count() - 1
    # Tags of a union are no field that anybody has written.
    parts = [str(part) for part in first["loc"] if not str(part).startswith("<")]
    where = ".".join(parts) or "the study"
    return f"{where}: {first['msg']}" + (f" (and {more} more)" if more else "")


class Keys(NamedTuple):
    """Partition keys that a study runs, in each definition."""

    subjects: list[str]
    painters: list[str]
    networks: list[str]
    models: list[str]
    experiments: list[str]


class Registry(BaseModel):
    """All studies of a run, and the partition keys they define."""

    model_config = ConfigDict(frozen=True)

    studies: dict[str, Study]

    @property
    def subjects(self) -> dict[str, Subject]:
        """Partition key -> person, over all studies."""
        return {key: one for study in self.studies.values() for key, one in study.subjects.items()}

    @property
    def experiments(self) -> dict[str, AnyExperiment]:
        """Partition key ``study__experiment`` -> experiment, over all studies."""
        return {
            f"{study.name}__{key}": experiment
            for study in self.studies.values()
            for key, experiment in study.experiments.items()
        }

    @property
    def models(self) -> list[str]:
        """Names of the base models that experiments start from, or that paint for painters."""
        named = {model for painter in self.painters.values() for model in painter.models}
        return sorted(named | {experiment.model for experiment in self.experiments.values()})

    @property
    def painters(self) -> dict[str, Painter]:
        """Partition key -> painter, over all studies."""
        return {key: p for study in self.studies.values() for key, p in study.painters.items()}

    @property
    def networks(self) -> dict[str, Network]:
        """Partition key ``study__network`` -> network, over all studies."""
        return {
            f"{study.name}__{key}": network
            for study in self.studies.values()
            for key, network in study.networks.items()
        }

    def keys_of(self, study: str) -> Keys:
        """All keys that ``study`` runs, its own first."""
        if study not in self.studies:
            known = ", ".join(sorted(self.studies))
            raise BadInput(f"there is no study '{study}'; there are: {known}")
        one = self.studies[study]
        networks = [f"{study}__{key}" for key in one.networks] + one.includes.networks
        painters = [*one.painters, *one.includes.painters]
        painters += [self.networks[key].painter for key in networks]
        experiments = [f"{study}__{key}" for key in one.experiments] + one.includes.experiments
        of_tests = [self.painters[self.networks[key].painter].experiments for key in networks]
        experiments = _once(experiments + [key for some in of_tests for key in some])
        painters += [name for key in experiments if (name := self.experiments[key].painter)]
        models = [self.experiments[key].model for key in experiments]
        models += [model for key in painters for model in self.painters[key].models]
        subjects = [*one.subjects, *one.includes.subjects]
        subjects += [name for key in experiments if (name := self.experiments[key].subject)]
        return Keys(_once(subjects), _once(painters), networks, _once(models), experiments)


def _once(keys: list[str]) -> list[str]:
    return list(dict.fromkeys(keys))


def study_files(user_folder: Path | None = None) -> list[Path]:
    """The shipped study files and a user's own."""
    files = sorted(SHIPPED.glob("*.yaml"))
    if user_folder is not None:
        if not user_folder.is_dir():
            raise BadInput(f"LIKENESS_STUDIES names {user_folder}, which is no folder")
        if not os.access(user_folder, os.R_OK | os.X_OK):
            raise BadInput(
                f"LIKENESS_STUDIES names {user_folder}, which cannot be read: check its rights"
            )
        files += sorted(user_folder.glob("*.yaml"))
    return files


def load_registry(user_folder: Path | None = None) -> Registry:
    """The shipped studies and a user's own; keys must be unique and references must exist."""
    return registry_of(study_files(user_folder))


def registry_of(files: Iterable[Path]) -> Registry:
    """The studies of these files; keys must be unique and references must exist."""
    registry = Registry(studies=_unique([read_study(file) for file in files]))
    _check_references(registry)
    return registry


def _unique(studies: Iterable[Study]) -> dict[str, Study]:
    by_name: dict[str, Study] = {}
    taken: dict[tuple[str, str], str] = {}
    for study in studies:
        if study.name in by_name:
            raise BadInput(f"two study files are called '{study.name}': rename one")
        by_name[study.name] = study
        both = [("painter", key) for key in study.painters]
        for kind, key in both + [("subject", key) for key in study.subjects]:
            if (kind, key) in taken:
                other = taken[kind, key]
                raise BadInput(f"{kind} '{key}' is in {other} and {study.name}: rename one")
            taken[kind, key] = study.name
    return by_name


def _check_references(registry: Registry) -> None:
    _check_networks(registry)
    for key, painter in registry.painters.items():
        _check_painter(registry, key, painter)
    for key, experiment in registry.experiments.items():
        try:
            spec_of(experiment.model)
        except BadInput as error:
            raise BadInput(f"experiment '{key}': {error}") from error
        if isinstance(experiment, Editing):
            _check_editor(key, experiment)
        else:
            _check_subject(registry, key, experiment)
            _check_word(registry, key, experiment)
    _check_includes(registry)


def _check_networks(registry: Registry) -> None:
    for key, network in registry.networks.items():
        if network.painter not in registry.painters:
            raise BadInput(f"network '{key}' names painter '{network.painter}', which no study has")
        if network.rounds == "folds" and registry.painters[network.painter].folds is None:
            raise BadInput(
                f"network '{key}' trains on folds, but painter '{network.painter}' has none: "
                "set its folds"
            )


def _check_includes(registry: Registry) -> None:
    known: dict[str, Collection[str]] = {
        "subject": registry.subjects,
        "painter": registry.painters,
        "network": registry.networks,
        "experiment": registry.experiments,
    }
    for study in registry.studies.values():
        for kind, there in known.items():
            for key in getattr(study.includes, f"{kind}s"):
                if key not in there:
                    raise BadInput(
                        f"study '{study.name}' includes {kind} '{key}', which no study has"
                    )


def _check_subject(registry: Registry, key: str, experiment: Experiment) -> None:
    """The person an experiment is about, and the split it learns from, must be there."""
    if experiment.subject is None:
        return
    subject = registry.subjects.get(experiment.subject)
    if subject is None:
        raise BadInput(
            f"experiment '{key}' names subject '{experiment.subject}', which no study has"
        )
    splits = [split.name for split in subject.splits.splits]
    if isinstance(experiment.method, DreamBooth) and experiment.method.split not in splits:
        raise BadInput(
            f"experiment '{key}' learns from split '{experiment.method.split}', and subject "
            f"'{experiment.subject}' has: {', '.join(splits)}"
        )


def _check_word(registry: Registry, key: str, experiment: Experiment) -> None:
    """The painter an experiment is about, and the class it learns from, must be there."""
    if experiment.painter is None:
        return
    painter = registry.painters.get(experiment.painter)
    if painter is None:
        raise BadInput(
            f"experiment '{key}' names painter '{experiment.painter}', which no study has"
        )
    method = experiment.method
    if not isinstance(method, LearnedWord):
        return
    if spec_of(experiment.model).two_encoders:
        raise BadInput(
            f"experiment '{key}' learns a word, which belongs to a model with one text encoder: "
            f"take sd15, sd2 or small instead of {experiment.model}"
        )
    wanted = method.pictures
    # what an experiment makes comes after every word
    sets = [name for name, pictures in painter.sets.items() if pictures.experiment is None]
    if isinstance(wanted, OfClass) and str(wanted.label) not in sets:
        raise BadInput(
            f"experiment '{key}' learns from class or set {wanted.label}, and painter "
            f"'{experiment.painter}' has: {', '.join(sorted(sets))}"
        )


def _check_editor(key: str, experiment: Editing) -> None:
    """Most editors, and inversion, read prompts with one encoder."""
    method = experiment.method
    fits = isinstance(method, Regenerate | Imported) or (
        isinstance(method, PromptToPrompt) and not isinstance(experiment, BenchEdits)
    )
    if spec_of(experiment.model).two_encoders and not fits:
        raise BadInput(
            f"experiment '{key}' edits by {experiment.method.name}, which needs a model with one "
            f"text encoder: take sd15, sd2 or small instead of {experiment.model}"
        )


def _check_painter(registry: Registry, key: str, painter: Painter) -> None:
    """The models and experiments that a painter's pictures come from must be there."""
    for name in painter.models:
        try:
            spec = spec_of(name)
        except BadInput as error:
            raise BadInput(f"painter '{key}': {error}") from error
        if spec.two_encoders and name in [one.model for one in painter.sampled.values()]:
            raise BadInput(
                f"painter '{key}' has pictures by {name}, and guidance of their own needs a model "
                "with one text encoder: take sd15, sd2 or small"
            )
    for name, pictures in painter.tests.items():
        if pictures.experiment is None:
            continue
        experiment = registry.experiments.get(pictures.experiment)
        if experiment is None:
            raise BadInput(
                f"'{name}' of painter '{key}' names experiment '{pictures.experiment}', which no "
                "study has"
            )
        if pictures.role is not None and pictures.role not in experiment.roles:
            raise BadInput(
                f"'{name}' of painter '{key}' has role '{pictures.role}', and experiment "
                f"'{pictures.experiment}' has: {', '.join(experiment.roles)}"
            )
