"""Takes the pictures of the documentation in a real browser: `python -m scripts.screenshots` writes docs/pictures.

A demo library is brought up to date in a folder of its own, Dagster's web pages are started on it, and Debian's
Chromium looks at them.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parent.parent
sys.path[0] = str(ROOT)
PICTURES = ROOT / "docs" / "pictures"
_MOST_BYTES = 200_000
_LIMIT_S = 60
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a workspace of its own."""
    return os.environ | {
        "MEDIAFLOW_HOME": str(folder / "home"),
        "MEDIAFLOW_LIBRARY": str(folder / "library"),
        "MEDIAFLOW_SETTLE_S": "0",
        "MEDIAFLOW_VISUAL_MODEL": "demo",
        "MEDIAFLOW_CONFIG": str(folder / "mediaflow.toml"),
        "DAGSTER_HOME": str(folder / "home" / "dagster"),
    }


def fill(folder: Path) -> None:
    """Make the demo's library, with one damaged film in it, and bring it up to date."""
    from mediaflow.demo.library import make_film, make_library

    (folder / "mediaflow.toml").touch()
    make_library(folder / "library", folder / "truth")
    damaged = folder / "library" / "Damaged (2019).mp4"
    make_film(damaged, seed=7, shots=4)
    film = damaged.read_bytes()
    # Its beginning can be read, and nothing else.
    start, end = len(film) // 5, film.rfind(b"moov") - 4
    damaged.write_bytes(film[:start] + random.Random(7).randbytes(end - start) + film[end:])
    subprocess.run([sys.executable, "-m", "sensors"], cwd=ROOT, env=environment(folder), check=False)


@contextmanager
def web_pages(folder: Path) -> Iterator[str]:
    """Serve Dagster's web pages; give their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with (folder / "web.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + _LIMIT_S
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > end:
                sys.exit(f"The web pages did not start:\n{(folder / 'web.log').read_text()}")
            threading.Event().wait(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """Start Chromium without a window and with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (*_QUIET, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def wait_for(driver: webdriver.Chrome, xpath: str) -> WebElement:
    """Return the first visible element of that path, as soon as there is one."""

    def found(_: webdriver.Chrome) -> WebElement | None:
        return next((one for one in driver.find_elements(By.XPATH, xpath) if one.is_displayed()), None)

    element: WebElement = WebDriverWait(driver, _LIMIT_S).until(found, f"{xpath} on {driver.current_url}")
    return element


def settled(driver: webdriver.Chrome) -> bytes:
    """Return a picture of the page once two in a row are the same: nothing is loading or moving any more."""
    before = b""
    for _ in range(40):
        now = driver.get_screenshot_as_png()
        if now == before:
            break
        before = now
        threading.Event().wait(0.7)
    return before


def save(name: str, png: bytes) -> None:
    """Write a picture with the few colours that web pages have, so that it stays small."""
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    PICTURES.mkdir(parents=True, exist_ok=True)
    file = PICTURES / f"{name}.png"
    picture.save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size / 1000:.0f} KB")
    if size > _MOST_BYTES:
        sys.exit(f"{file} has {size:,} bytes, more than {_MOST_BYTES:,}.")


def take(driver: webdriver.Chrome, address: str, title: str) -> None:
    """Take the pictures: the graph of assets, the partitions of the frames, and a title's contact sheet."""
    driver.set_window_size(2000, 1880)
    driver.get(f"{address}/asset-groups")
    wait_for(driver, "//*[text()='published']")
    wait_for(driver, "//*[text()='Hide navigation']").click()
    settled(driver)
    # Dagster's own short cut: show the assets of all groups. The page, loaded again so, fits them in.
    ActionChains(driver).key_down(Keys.ALT).send_keys("e").key_up(Keys.ALT).perform()
    wait_for(driver, "//*[text()='release']")
    driver.refresh()
    wait_for(driver, "//*[text()='release']")
    save("asset-graph", settled(driver))
    driver.set_window_size(1400, 1000)
    driver.get(f"{address}/assets/frames?view=partitions&partition={title}")
    link = wait_for(driver, "//*[contains(text(), 'Show Markdown')]")
    save("partition", settled(driver))
    link.click()
    wait_for(driver, "//img[contains(@src, 'data:image/jpeg')]")
    save("contact-sheet", settled(driver))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        os.environ |= environment(folder)
        import mediaflow

        with mediaflow.open() as library:
            title = next(one.title_id for one in library.titles() if one.title_id.startswith("the-"))
        with web_pages(folder) as address, browser(folder) as driver:
            take(driver, address, title)


if __name__ == "__main__":
    main()
