"""What a person does in the UI: see the graph, materialise a partition by clicking, read results."""

import psutil
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser


def seen(browser, xpath, seconds=40):
    """The first visible element of an xpath, waited for."""

    def first(driver):
        found = [e for e in driver.find_elements(By.XPATH, xpath) if e.is_displayed()]
        return found[0] if found else False

    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(first)


def test_only_this_machine_is_listened_to(ui):
    parent = psutil.Process(ui.process.pid)
    listening = {
        connection.laddr.ip
        for process in [parent, *parent.children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_the_graph_shows_every_group_and_its_assets(ui, browser):
    groups = {
        "painters": ("raw_paintings", "paintings", "classes"),
        "classifier": ("network", "verdicts"),
        "report": ("summaries", "gallery"),
    }
    for group, assets in groups.items():
        browser.get(f"{ui.url}/locations/likeness/asset-groups/{group}/lineage")
        for asset in assets:
            assert seen(browser, f"//*[text()='{asset}']")


def test_a_partition_is_materialised_by_clicking_and_its_page_tells_how(ui, browser):
    browser.get(f"{ui.url}/locations/likeness/asset-groups/painters/lineage")
    seen(browser, "//button[contains(., 'Materialize')]").click()
    # that no model has painted any class yet: this painter wants none
    seen(browser, "//button[contains(., 'Confirm')]").click()
    seen(browser, "//*[contains(text(), 'Select a partition')]").click()
    seen(browser, "//*[text()='tiny_master']").click()
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    seen(browser, "//button[contains(., 'Launch 1 run')]").click()
    assert ui.wait_for_runs(1) == ["SUCCESS"]

    browser.get(f"{ui.url}/assets/painters/paintings?partition=tiny_master&view=partitions")
    assert seen(browser, "//*[text()='cache']")
    assert seen(browser, "//*[text()='miss']")
    assert seen(browser, "//*[text()='accepted']")
    sheet = seen(browser, "//img[@alt='preview.jpg']")
    WebDriverWait(browser, 20).until(lambda _: int(sheet.get_property("naturalWidth")) > 100)
