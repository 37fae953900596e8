"""Generated pictures on the page: a section per experiment, its pictures by prompt."""

from typing import Any

from likeness.studies.schema import Study
from resources import keys
from resources.artifacts import Artifacts
from resources.report.pictures import Pictures
from resources.warehouse import query

PROMPTS, PER_PROMPT = 60, 12
# Of all experiments of a study together; what is more has pages of its own.
FIRST_PAGE = 240


def experiments(artifacts: Artifacts, study: Study, pictures: Pictures) -> list[dict[str, Any]]:
    """The experiments of a study that have pictures; ``page`` where not all fit the first page."""
    found = query(
        artifacts.warehouse,
        "SELECT * FROM experiments_made WHERE study = ? AND n > 0",
        [study.name],
    )
    # Edits have a section of their own.
    some = [row for row in found.itertuples() if row.experiment not in study.edits]
    fit = max(1, FIRST_PAGE // max(1, len(some)))
    shown = []
    for row in some:
        rows = _prompts(artifacts, study.name, row.experiment, pictures)
        more = int(row.prompts) - len(rows)
        shown.append(
            {
                "title": row.title,
                "model": row.model,
                "prompts": rows,
                "first": rows[:fit],
                "more": more,
                "page": f"{study.name}__{row.experiment}.html" if row.prompts > fit else None,
                "sheets": _sheets(study, row.experiment, pictures),
            }
        )
    return shown


def _sheets(study: Study, experiment: str, pictures: Pictures) -> list[dict[str, str]]:
    """How a word was learned; what a person's models learned is shown with the person."""
    if study.experiments[experiment].painter is None:
        return []
    key = f"{study.name}__{experiment}"
    names = {"curve.png": "learning", "preview.jpg": "checkpoints"}
    found = {
        title: pictures.artefact_file(keys.FINETUNED, key, name) for name, title in names.items()
    }
    return [{"title": title, "file": file} for title, file in found.items() if file]


def _prompts(
    artifacts: Artifacts, study: str, experiment: str, pictures: Pictures
) -> list[dict[str, Any]]:
    """The first prompts in their order, each with its first pictures."""
    found = query(
        artifacts.warehouse,
        "SELECT prompt, any_value(not_read) AS not_read, list(file ORDER BY seed) AS files, "
        "list(seed ORDER BY seed) AS seeds, min(file) AS first FROM images "
        "WHERE study = ? AND experiment = ? AND status = 'accepted' "
        f"GROUP BY prompt ORDER BY first LIMIT {PROMPTS}",
        [study, experiment],
    )
    key = f"{study}__{experiment}"
    return [
        {
            "prompt": row.prompt,
            "not_read": row.not_read if isinstance(row.not_read, str) else "",
            "pictures": [
                {"file": pictures.thumbnail(keys.IMAGES, key, file), "seed": int(seed)}
                for file, seed in list(zip(row.files, row.seeds, strict=True))[:PER_PROMPT]
            ],
            "more": max(0, len(row.files) - PER_PROMPT),
        }
        for row in found.itertuples()
    ]
