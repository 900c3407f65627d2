"""The page at `/` in a real browser: it asks, shows the answer with its pictures, and needs nothing from elsewhere."""

from __future__ import annotations

import json
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.serve.conftest import Server


def asked(driver: webdriver.Chrome) -> list[str]:
    """Return the addresses that were asked for over a network; not those within the browser."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [one for one in messages if one["method"] == "Network.requestWillBeSent"]
    addresses = [one["params"]["request"]["url"] for one in sent]
    return [address for address in addresses if address.startswith("http")]


def test_it_asks_and_shows_answer_and_pictures(shown: Server, browser: webdriver.Chrome) -> None:
    browser.get(shown.url)
    wait = WebDriverWait(browser, 60)
    wait.until(lambda page: "Answers from snapshot" in page.find_element(By.ID, "status").text)
    assert "thumbnailUrl" in browser.find_element(By.ID, "schema").get_property("textContent")
    script = "const box = document.getElementById('query'); box.value = box.value.replace('hello', 'the');"
    browser.execute_script(script)
    browser.find_element(By.ID, "run").click()
    wait.until(lambda page: '"total"' in page.find_element(By.ID, "answer").text)
    hits: list[dict[str, Any]] = json.loads(browser.find_element(By.ID, "answer").text)["data"]["search"]["hits"]
    assert len(hits) == 5
    whole = "return [...document.querySelectorAll('#pictures img')].map((one) => one.complete && one.naturalWidth)"
    wait.until(lambda page: page.execute_script(whole) == [216] * 5)
    links = browser.find_elements(By.CSS_SELECTOR, "#pictures a")
    assert [link.get_attribute("href") for link in links] == [shown.url + hit["previewUrl"] for hit in hits]
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    addresses = asked(browser)
    assert len(addresses) > 8 and all(address.startswith(shown.url) for address in addresses)


def test_a_preview_plays(shown: Server, browser: webdriver.Chrome) -> None:
    found = shown.ask('{ search(clauses: [{dialogue: {text: "the"}}], first: 1) { hits { previewUrl } } }')
    browser.get(shown.url + found["data"]["search"]["hits"][0]["previewUrl"])
    state = (
        "const film = document.querySelector('video'); return film && [film.readyState, film.videoWidth, film.duration]"
    )
    ready, width, duration_s = WebDriverWait(browser, 60).until(
        lambda page: (seen := page.execute_script(state)) and seen[0] >= 2 and seen
    )
    assert ready >= 2 and width == 96 and 2 < duration_s < 4
