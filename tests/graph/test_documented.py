"""What the pages tell people to put into a launchpad is what the jobs take."""

import re

import dagster as dg
import pytest
import yaml

from assets_defs.studies import registry
from likeness.studies.check import mistakes_in
from likeness.studies.load import study_files
from pipelines.definitions import build_defs
from resources.settings import REPOSITORY

DEFS = build_defs()
PAGE = (REPOSITORY / "docs" / "first-steps.md").read_text()


def test_every_launchpad_text_of_the_first_steps_is_accepted():
    job = DEFS.resolve_job_def("experiments_job")
    texts = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(texts) == 2
    for text in texts:
        assert dg.validate_run_config(job, yaml.safe_load(text))
    with pytest.raises(dg.DagsterInvalidConfigError, match="guidance_scale"):
        dg.validate_run_config(job, yaml.safe_load(texts[0].replace("2.5", "much")))


def test_the_studies_that_the_pages_show_have_no_mistakes(tmp_path):
    page = (REPOSITORY / "docs" / "own-study.md").read_text()
    texts = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(texts) == 2
    for text in texts:
        file = tmp_path / f"{yaml.safe_load(text)['name']}.yaml"
        file.write_text(text)
        assert mistakes_in(file, study_files(None)) == []


def test_the_first_steps_name_what_is_there():
    assert set(re.findall(r"`(\w+_job)`", PAGE)) <= {job.name for job in DEFS.jobs}
    assert "nightly_refresh" in {schedule.name for schedule in DEFS.schedules}
    assert "small_world__first_light" in registry().experiments
