"""What a person does in the UI: see the graph, run parts of it by clicking, read and see results."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REPOSITORY = Path(__file__).parents[2]


def seen(browser, xpath, seconds=40):
    """The first visible element of an xpath, waited for."""

    def first(driver):
        found = [e for e in driver.find_elements(By.XPATH, xpath) if e.is_displayed()]
        return found[0] if found else False

    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(first)


def shows(browser, name):
    """Whether a picture of the page has come."""
    sheet = seen(browser, f"//img[@alt='{name}']")
    return WebDriverWait(browser, 20).until(lambda _: int(sheet.get_property("naturalWidth")) > 50)


def number(browser, name):
    """A figure among the metadata."""
    return (
        seen(browser, f"//td[.='{name}']/following-sibling::td[1]").text.replace(",", "").split()[0]
    )


def open_launchpad(ui, browser, job, config=""):
    browser.get(f"{ui.url}/locations/likeness/jobs/{job}/playground")
    seen(browser, "//*[text()='No errors']")
    if config:
        editor = "document.querySelector('.CodeMirror').CodeMirror"
        browser.execute_script(f"{editor}.setValue(arguments[0])", config)


def launch(ui, browser, partition):
    """Choose the partition and start the run; the page may draw itself anew at any moment."""
    before = len(ui.runs())

    def chosen(driver):
        box = driver.find_element(By.XPATH, "//input[@placeholder='Partition']")
        box.click()
        box.send_keys(Keys.CONTROL, "a")  # the last choice may stand there
        box.send_keys(partition)
        seen(driver, f"//li//*[text()='{partition}']", 10).click()
        return True

    def launched(driver):
        # the button does nothing while the page still checks what was chosen
        if len(ui.runs()) == before:
            driver.find_element(By.XPATH, "//button[contains(., 'Launch Run')]").click()
        return len(ui.runs()) > before

    for step, pause in ((chosen, 1), (launched, 8)):
        wait = WebDriverWait(browser, 60, poll_frequency=pause, ignored_exceptions=(Exception,))
        wait.until(step)
    # the page of the run: its steps as they go
    seen(browser, "//*[text()='RUN_ENQUEUED']")


def test_only_this_machine_is_listened_to(ui):
    parent = psutil.Process(ui.process.pid)
    listening = {
        connection.laddr.ip
        for process in [parent, *parent.children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


GROUPS = {
    *("people", "painters", "models", "images", "scores", "classifier", "report", "world"),
}


def test_the_graph_shows_every_group_and_its_assets(ui, browser):
    groups = ui.groups()
    assert groups.keys() == GROUPS
    assert groups["painters"] == {"raw_paintings", "paintings", "classes"}
    for group, assets in groups.items():
        browser.get(f"{ui.url}/locations/likeness/asset-groups/{group}/lineage")
        for asset in assets:
            assert seen(browser, f"//*[text()='{asset}']")


def test_an_asset_says_of_what_kind_it_is_in_the_graph_and_on_its_page(ui, browser):
    for page in ("locations/likeness/asset-groups/report/lineage", "assets/report/summaries"):
        browser.get(f"{ui.url}/{page}")
        assert seen(browser, "//*[text()='DuckDB']")


def test_a_partition_is_materialised_by_clicking_and_its_page_tells_how(ui, browser):
    browser.get(f"{ui.url}/locations/likeness/asset-groups/painters/lineage")
    seen(browser, "//button[contains(., 'Materialize')]").click()
    # that no model has painted any class yet: this painter wants none
    seen(browser, "//button[contains(., 'Confirm')]").click()

    def chosen(driver):
        # a page that draws itself anew closes the list
        seen(driver, "//*[contains(text(), 'Select a partition')]", 10).click()
        seen(driver, "//*[text()='tiny_master']", 5).click()
        return True

    WebDriverWait(browser, 60, ignored_exceptions=(Exception,)).until(chosen)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    seen(browser, "//button[contains(., 'Launch 1 run')]").click()
    assert ui.wait_for_runs(1) == ["SUCCESS"]

    browser.get(f"{ui.url}/assets/painters/paintings?partition=tiny_master&view=partitions")
    assert seen(browser, "//*[text()='cache']")
    assert seen(browser, "//*[text()='miss']")
    assert seen(browser, "//*[text()='accepted']")
    assert shows(browser, "preview.jpg")


def test_the_launchpad_refuses_a_wrong_value_and_says_where_it_stands(ui, browser):
    config = "ops: {images__made: {config: {guidance_scale: much}}}"
    open_launchpad(ui, browser, "experiments_job", config)
    said = seen(browser, "//*[contains(text(), 'Invalid scalar')]").text
    assert "images__made:config:guidance_scale" in said
    assert "much" in said
    button = seen(browser, "//button[contains(., 'Launch Run')]")
    assert not button.is_enabled()


def test_an_experiment_is_run_with_a_changed_setting_and_reused_without_work(ui, browser):
    open_launchpad(ui, browser, "models_job")
    launch(ui, browser, "small")
    assert ui.wait_for_runs(2) == ["SUCCESS"] * 2
    changed = "ops: {images__made: {config: {guidance_scale: 2.5}}}"
    runs = []
    for count, cache in ((3, "miss"), (4, "hit")):
        open_launchpad(ui, browser, "experiments_job", changed)
        launch(ui, browser, "tiny__words")
        assert ui.wait_for_runs(count) == ["SUCCESS"] * count
        runs.append(ui.newest_run())
        browser.get(f"{ui.url}/assets/images/made?partition=tiny__words&view=partitions")
        assert seen(browser, f"//td[.='cache']/following-sibling::td[.='{cache}']")
        assert shows(browser, "preview.jpg")
        assert seen(browser, "//*[contains(text(), '\"guidance_scale\": 2.5')]")
        # from what it was made, and at what cost
        assert float(number(browser, "seconds")) > 0 or cache == "hit"
        for cost in ("computed_in_seconds", "peak_memory_mb"):
            assert float(number(browser, cost)) > 0
        assert seen(browser, "//td[.='inputs']/following-sibling::td[contains(., 'model')]")
    # the page of the run says which steps went
    browser.get(f"{ui.url}/runs/{runs[0]}?logs=type%3ASTEP_START")
    assert seen(browser, "//*[text()='STEP_START']")
    assert seen(browser, "//*[contains(text(), 'images__made')]")


def test_the_curves_of_a_network_are_on_its_page(ui, browser):
    count = len(ui.runs())
    open_launchpad(ui, browser, "networks_job")
    launch(ui, browser, "tiny__tiles")
    assert ui.wait_for_runs(count + 1) == ["SUCCESS"] * (count + 1)
    browser.get(f"{ui.url}/assets/classifier/network?partition=tiny__tiles&view=partitions")
    assert shows(browser, "curves.png")


def test_each_experiment_has_its_page_of_partitions(ui, browser):
    browser.get(f"{ui.url}/assets/scores/images?view=partitions")
    box = "//input[contains(@placeholder, 'Filter by name')]"
    for key in ("small_world__first_light", "tiny__words"):
        # the list shows as many as there is room for
        seen(browser, box).send_keys(Keys.CONTROL, "a")
        seen(browser, box).send_keys(key)
        assert seen(browser, f"//*[text()='{key}']")
    seen(browser, "//*[text()='tiny__words']").click()
    assert seen(browser, "//td[.='cache']/following-sibling::td[.='hit']")


def test_a_person_taught_to_a_model_is_launched_from_a_shell_and_by_clicking(ui, browser):
    dg = str(Path(sys.executable).parent / "dg")
    done = subprocess.run(
        [dg, "launch", "--job", "people_job", "--partition", "tiny_person"],
        cwd=REPOSITORY,
        env=ui.environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    browser.get(f"{ui.url}/assets/people/verification?partition=tiny_person&view=partitions")
    assert shows(browser, "preview.png")

    count = len(ui.runs())
    open_launchpad(ui, browser, "experiments_job")
    launch(ui, browser, "tiny__taught")
    assert ui.wait_for_runs(count + 1)[0] == "SUCCESS"
    pictures = {
        "models/finetuned": "curve.png",
        "images/made": "preview.jpg",
        "scores/pairs": "preview.png",
    }
    for asset, name in pictures.items():
        browser.get(f"{ui.url}/assets/{asset}?partition=tiny__taught&view=partitions")
        assert shows(browser, name)


def test_one_asset_is_materialised_from_its_own_page_and_says_what_it_does(ui, browser):
    count = len(ui.runs())
    browser.get(f"{ui.url}/assets/report/summaries")

    def launched(driver):
        driver.find_element(By.XPATH, "//button[contains(., 'Materialize')]").click()
        return WebDriverWait(driver, 5).until(lambda _: len(ui.runs()) > count)

    WebDriverWait(browser, 60, ignored_exceptions=(Exception,)).until(launched)
    assert ui.wait_for_runs(count + 1) == ["SUCCESS"] * (count + 1)
    browser.get(f"{ui.url}/assets/report/summaries")
    assert seen(browser, "//td[.='rows/images']")
    run = ui.newest_run()
    events = ui.ask(
        f'{{logsForRun(runId: "{run}"){{...on EventConnection{{events{{'
        "...on MaterializationEvent{stepKey} ...on LogMessageEvent{message}}}}}"
    )["logsForRun"]["events"]
    # this asset and no other
    assert {one["stepKey"] for one in events if "stepKey" in one} == {"report__summaries"}
