"""Debian's headless Chromium for tests of pages: what they look at, and what they say when they cannot."""

import base64
import contextlib
import json
import pathlib
import shutil
import sys

LOOKS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]
NAME = pathlib.Path(sys.argv[0]).name


def skip(why):
    print(f"{NAME}: {why}")
    sys.exit(77)


def check(condition, what):
    if not condition:
        raise SystemExit(f"{NAME}: {what}")


try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    skip("no selenium (python3-selenium)")
if not shutil.which("chromium") or not shutil.which("chromedriver"):
    skip("no browser (chromium, chromium-driver)")


@contextlib.contextmanager
def browser(downloads):
    settings = webdriver.ChromeOptions()
    settings.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"):
        settings.add_argument(argument)
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=settings)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    try:
        yield driver
    finally:
        driver.quit()


def outside_requests(driver, url):
    """What was asked that does not begin like this and is not part of the page itself."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    return [address for address in asked if not address.startswith((url, "blob:", "data:"))]


def console(driver):
    return [entry["message"] for entry in driver.get_log("browser")]


def look(driver, folder, name):
    """Shows the page wide and narrow, light and dark, one after the other; a picture of each goes into the folder."""
    for width, scheme in LOOKS:
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        overflow = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
        check(overflow <= 0, f"at {width} pixels the page is {overflow} too wide")
        if folder:
            picture = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
            (folder / f"{name}-{width}-{scheme}.png").write_bytes(base64.b64decode(picture["data"]))
        yield f"{width} {scheme}"


def faults(driver, axe):
    """Serious faults of accessibility by axe-core (https://github.com/dequelabs/axe-core)."""
    driver.execute_script(axe.read_text())
    found = driver.execute_async_script("axe.run().then(arguments[0])")["violations"]
    return [f"{fault['id']}: {fault['help']}" for fault in found if fault["impact"] in ("serious", "critical")]
