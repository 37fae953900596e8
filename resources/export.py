"""What a study has made as plain files: tables for a spreadsheet, pictures for a paper."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.new_folder import new_folder
from resources import keys
from resources.artifacts import Artifacts
from resources.warehouse import query


def export_results(
    artifacts: Artifacts,
    studies: Sequence[str],
    experiments: Sequence[str],
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Write ``tables/*.csv`` of these studies and ``pictures/EXPERIMENT/`` into a new folder.

    Pictures come with ``images.csv``: prompt, seed, role and status of each. What has not been made
    is said and left out. There is all of it or nothing. Raises BadInput when the folder exists or
    there is no warehouse yet.
    """
    if not artifacts.warehouse.exists():
        raise BadInput("there is no warehouse yet: run a study first")
    with new_folder(folder) as scratch:
        _write_tables(artifacts.warehouse, studies, scratch / "tables", say)
        for key in experiments:
            _write_pictures(artifacts, key, scratch / "pictures", say)


def _write_tables(
    warehouse: Path, studies: Sequence[str], folder: Path, say: Callable[[str], None]
) -> None:
    """A file for each table and view that tells of these studies."""
    folder.mkdir()
    found = query(
        warehouse,
        "SELECT table_name AS name, bool_or(column_name = 'study') AS of_study "
        "FROM information_schema.columns GROUP BY ALL ORDER BY name",
    )
    for name, of_study in found.itertuples(index=False):
        # the others, such as passports, tell what figures of all studies mean
        where = "WHERE list_contains(?, study)" if of_study else ""
        table = query(warehouse, f'FROM "{name}" {where}', [list(studies)] if of_study else [])
        if not table.empty:
            table.to_csv(folder / f"{name}.csv", index=False)
    say(f"tables of {', '.join(studies)}: {len(list(folder.iterdir()))} files")


def _write_pictures(
    artifacts: Artifacts, key: str, folder: Path, say: Callable[[str], None]
) -> None:
    made = artifacts.find_current(keys.IMAGES, key)
    if made is None:
        say(f"{key}: no pictures yet")
        return
    source, target = artifacts.fetch(made), folder / key
    shutil.copytree(source / image_set.FOLDER, target / image_set.FOLDER)
    table = image_set.read(source)
    table.to_csv(target / "images.csv", index=False)
    say(f"{key}: {len(image_set.accepted(table))} pictures")
