"""The page at `/` of a server that takes keys, in a real browser: it says so, takes one, and keeps it to itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.serve.access.conftest import Locked

if TYPE_CHECKING:
    from selenium import webdriver


def test_a_key_opens_the_page_with_its_titles_alone(locked: Locked, browser: webdriver.Chrome) -> None:
    browser.get(locked.server.url)
    wait = WebDriverWait(browser, 60)
    wait.until(lambda page: "key" in page.find_element(By.ID, "status").text.lower())
    assert browser.find_element(By.ID, "schema").get_property("textContent") == ""
    browser.find_element(By.ID, "key").send_keys(locked.some + Keys.TAB)
    wait.until(lambda page: "Answers from snapshot" in page.find_element(By.ID, "status").text)
    browser.execute_script("document.getElementById('query').value = '{ titles { total titles { titleId } } }'")
    browser.find_element(By.ID, "run").click()
    wait.until(lambda page: '"total"' in page.find_element(By.ID, "answer").text)
    titles = json.loads(browser.find_element(By.ID, "answer").text)["data"]["titles"]["titles"]
    assert "meadow" in {one["titleId"] for one in titles} and len(titles) < 5
    # It stands in no address, and the next visit does not know it.
    assert locked.some not in browser.current_url
    browser.refresh()
    wait.until(lambda page: "key" in page.find_element(By.ID, "status").text.lower())
