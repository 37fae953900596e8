"""A tiny study through the whole flow, three times: its costs, its warehouse and its page."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from resources.warehouse import query

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "tiny"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The state folder after the three runs of ``run_tiny.py``, and what they printed."""
    state = tmp_path_factory.mktemp("tiny")
    (state / "raw" / "nothing").mkdir(parents=True)
    settings = {
        "LIKENESS_THREADS": "1",
        "LIKENESS_STUDIES": str(HERE),
        "LIKENESS_STATE_DIR": str(state),
        "LIKENESS_RAW": str(state / "raw"),
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "run_tiny.py"), str(state)],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    page = (state / "report" / "index.html").read_text(encoding="utf-8")
    return SimpleNamespace(
        settings=os.environ | settings,
        runs=json.loads((state / "runs.json").read_text()),
        warehouse=state / "likeness.duckdb",
        report=state / "report",
        page=page,
        tags=tags_of(page),
    )


def tags_of(page):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(page)
    return found


def caches(run):
    """(asset, partition) -> hit or miss, for everything that is kept in the cache."""
    return {
        (cost["asset"], cost["partition"]): cost["cache"]
        for cost in run["costs"]
        if cost["asset"] != "report/summaries"
    }


def test_one_failing_job_stops_no_other_and_says_why_in_one_sentence(tiny):
    for run in tiny.runs:
        assert len(run["failures"]) == 2
        empty, waiting = run["failures"]
        assert empty.startswith("painters_job [tiny_nothing]: There is no file to take in below")
        assert "\n" not in empty
        assert waiting == (
            "networks_job [tiny__on_nothing]: not started, its pictures [tiny_nothing] failed"
        )
        done = {(cost["asset"], cost["partition"]) for cost in run["costs"]}
        assert ("classifier/verdicts", "tiny__tiles") in done
        assert ("report/gallery", None) in done


def test_a_second_run_does_nothing_again(tiny):
    first, second, _ = map(caches, tiny.runs)
    assert set(first.values()) == {"miss"}
    assert second == dict.fromkeys(first, "hit")


def test_an_edit_of_the_intake_that_yields_the_same_bytes_trains_nothing_again(tiny):
    *_, third = map(caches, tiny.runs)
    third.pop(("report/gallery", None))  # it prints the seconds of the new intake
    missed = [key for key, cache in third.items() if cache == "miss"]
    assert missed == [("painters/paintings", "tiny_master")]


def test_the_warehouse_holds_every_verdict_and_sums_them_up(tiny):
    found = query(
        tiny.warehouse, "SELECT network, image_set, count(*) AS n FROM verdicts GROUP BY ALL"
    )
    counted = {(row.network, row.image_set): row.n for row in found.itertuples()}
    sets = {"valid": 4, "test": 4, "NEW": 4}
    assert counted == {(net, name): n for net in ("tiles", "probe") for name, n in sets.items()}
    judged = query(tiny.warehouse, "SELECT * FROM cezanne_verdicts WHERE study = 'tiny'")
    judged = judged[judged["painter"] == "tiny_master"]
    assert len(judged) == 2
    assert all(sum(counts) == 4 for counts in judged["counts"])
    rates = query(tiny.warehouse, "SELECT * FROM cezanne_accuracy WHERE measure = 'valid'")
    assert set(rates["published_mobilenet"]) == {0.625}
    assert (rates["low"] <= rates["value"]).all()
    assert (rates["value"] <= rates["high"]).all()
    images = query(tiny.warehouse, "SELECT DISTINCT status, count(*) AS n FROM images GROUP BY ALL")
    assert images.to_numpy().tolist() == [["accepted", 32]]


def test_texts_of_a_study_are_shown_and_never_run(tiny):
    assert "<h2>Cézanne &lt;script&gt;alert(1)&lt;/script&gt;</h2>" in tiny.page
    assert "Small &amp; &lt;b&gt;bold&lt;/b&gt;, façon Provence" in tiny.page
    assert not {"script", "b", "i", "master"} & {tag for tag, _ in tiny.tags}


def test_the_page_asks_for_nothing_but_its_own_pictures(tiny):
    addresses = [
        attributes[name]
        for _, attributes in tiny.tags
        for name in ("src", "href", "action", "data", "poster", "srcset")
        if name in attributes
    ]
    assert len(addresses) > 20
    places = {"#" + attributes["id"] for _, attributes in tiny.tags if "id" in attributes}
    assert {"#tiny", "#cost"} <= set(addresses) & places
    for address in set(addresses) - places:
        parts = urlsplit(address)
        assert (parts.scheme, parts.netloc) == ("", "")
        with Image.open(tiny.report / unquote(parts.path)) as picture:
            picture.load()
    assert "url(" not in tiny.page
    assert "@import" not in tiny.page
    assert not re.search(r"https?://", tiny.page)


def test_tables_of_the_page_are_those_of_the_warehouse(tiny):
    found = query(
        tiny.warehouse, "SELECT * FROM cezanne_accuracy WHERE measure IN ('valid', 'test')"
    )
    assert len(found) == 4
    for row in found.itertuples():
        cell = f"<td>{row.value:.3f} [{row.low:.3f}, {row.high:.3f}], n={row.n}</td>"
        assert cell in tiny.page
    assert "-0.000" not in tiny.page
    assert "a book of 1906" in tiny.page
    assert "honest stand-ins" in tiny.page
    assert "curves of tiles" in tiny.page
    assert "curves of probe" not in tiny.page  # it learns in one go


def test_the_nightly_job_drives_the_same_flow_and_tells_the_same_failures(tiny):
    said = json.loads((tiny.warehouse.parent / "refresh.json").read_text())
    assert said["sentence"] == "; ".join(tiny.runs[-1]["failures"])
    assert (said["driven"], said["after"]) == ("SUCCESS", True)


def checked(tiny, file, **settings):
    """Rows of what ``likeness studies check`` prints, by their first cell, and its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "studies", "check", str(file)],
        env=tiny.settings | {"COLUMNS": "300"} | settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    return {first: rest for first, *rest in cells}, done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def unchanged(tiny):
    """What a check of the study says that has just run."""
    return checked(tiny, HERE / "tiny.yaml")


def foretold(line):
    """How many steps would run, and for how many seconds."""
    found = re.fullmatch(r"(\d+) of 14 steps would run: (\d+) s", line)
    return int(found[1]), int(found[2])


# That an empty folder has nothing to take in is seen only by looking into it: its painter's
# pictures and classes, and the judge of them, would be tried again.
TRIED = 4


def test_a_check_foretells_a_run_that_finds_everything(tiny, unchanged):
    rows, last = unchanged
    assert foretold(last)[0] == TRIED
    assert rows["painters/raw_paintings"][:3] == ["2", "2", "0"]
    assert rows["painters/paintings"][:3] == ["2", "1", "1"]
    assert rows["classifier/network"][:3] == ["3", "2", "1"]
    # nothing was done and nothing has become current by asking
    assert checked(tiny, HERE / "tiny.yaml")[1] == last


def test_a_check_foretells_what_an_edit_makes_anew_and_how_long_it_took_before(
    tiny, unchanged, tmp_path
):
    _, before = unchanged
    text = (HERE / "tiny.yaml").read_text()
    assert text.count("epochs: 2,") == 1
    (tmp_path / "tiny.yaml").write_text(text.replace("epochs: 2,", "epochs: 3,"))
    rows, last = checked(tiny, tmp_path / "tiny.yaml", LIKENESS_STUDIES="")
    assert rows["classifier/network"][:3] == ["3", "1", "2"]
    assert rows["classifier/verdicts"][:3] == ["3", "1", "2"]
    took = query(
        tiny.warehouse,
        "SELECT sum(seconds) AS s FROM ledger WHERE starts_with(asset, 'classifier/') "
        "AND partition = 'tiny__tiles'",
    )["s"][0]
    (tried, seconds), (runs, more) = foretold(before), foretold(last)
    assert runs == tried + 2
    # both are printed as whole seconds
    assert more - seconds == pytest.approx(took, abs=1.01)


def test_the_ledger_tells_hits_from_work_and_names_the_study(tiny):
    found = query(tiny.warehouse, "SELECT * FROM ledger").set_index(["asset", "partition"])
    assert set(found["study"].dropna()) == {"tiny"}
    network = found.loc[("classifier/network", "tiny__tiles")]
    assert network["cache_hit"]
    assert network["spent_seconds"] < network["seconds"]
    by_key = query(tiny.warehouse, "SELECT * FROM cost_by_key").set_index("partition")
    assert {"tiny_master", "tiny__tiles", "tiny__probe"} <= set(by_key.index)
    assert "tiny__tiles" in tiny.page
