#!/usr/bin/env python3
"""The page of plume-infer serve in a real browser.

    page_test.py PLUME PLUME_INFER DATA [--screenshots FOLDER] [--axe axe.min.js]

Debian's headless Chromium opens the page, takes the tile by click, by drop and as a sample, chooses its bands, moves
threshold and opacity by keyboard, reads under the cursor, downloads. Fails at a share of smoke that is not NASA's, a
message on the console, a request to elsewhere, or (with
axe-core, https://github.com/dequelabs/axe-core) a serious fault of accessibility. DATA holds NASA's model and GOES
tiles. Exit status 77, with a line that says why: no browser here, or no data.
"""

import argparse
import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from browser import browser, check, console, faults, look, outside_requests, skip
from serving import serving

try:
    import numpy
except ImportError:
    skip("no NumPy (python3-numpy)")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

BANDS = "1-6"  # a seventh is in the tiles as they were published, and unused


class Page:
    def __init__(self, driver, url):
        self.driver, self.url = driver, url
        driver.get(url)

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self[name].get_attribute("textContent")

    def wait(self, condition, what):
        WebDriverWait(self.driver, 20).until(lambda _: condition(), what)

    def set(self, name, value):
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.driver.execute_script(script, self[name], value)

    def loaded(self, name):
        self.wait(
            lambda: self.text("announcement").startswith(f"{name}: "), f"{name} was not shown: {self.text('problem')}"
        )

    def row(self, y):
        """The canvas' pixels in a row, read from a copy: the page's own is not made for reading."""
        script = """
            const copy = new OffscreenCanvas(arguments[0].width, 1).getContext("2d", {willReadFrequently: true});
            copy.drawImage(arguments[0], 0, -arguments[1]);
            return [...copy.getImageData(0, 0, arguments[0].width, 1).data];"""
        return self.driver.execute_script(script, self["canvas"], y)


def answer(url, tile, accept):
    request = urllib.request.Request(
        f"{url}invocations", tile.read_bytes(), {"Content-Type": f"image/tiff; bands={BANDS}", "Accept": accept}
    )
    with urllib.request.urlopen(request) as reply:
        return reply.read()


def takes_a_file(page, tile, share):
    page["bands"].send_keys(BANDS)
    page["file"].send_keys(str(tile))
    page.loaded(tile.name)
    check(page["canvas"].is_displayed() and not page["drop"].is_displayed(), "the picture is not shown")
    check(page.text("share") == f"{share:.2f} %", f"share: {page.text('share')}, NASA's output has {share:.2f} %")
    check(page.text("size") == "256 x 256", f"size: {page.text('size')}")
    page.wait(lambda: "km²" in page.text("area"), "no area in square kilometres of a georeferenced tile")


def moves_the_threshold(page):
    before = float(page.text("share")[:-2])
    page["threshold"].send_keys(Keys.END)
    check(page.text("threshold-value") == "99 %", f"threshold: {page.text('threshold-value')}")
    check(float(page.text("share")[:-2]) <= before, "a higher threshold finds more")
    page["threshold"].send_keys(Keys.HOME)
    check(float(page.text("share")[:-2]) > before, "the lowest threshold finds no more")
    page.set("threshold", 0.5)
    check(float(page.text("share")[:-2]) == before, "the same threshold finds another share")


def moves_the_opacity(page):
    page["threshold"].send_keys(Keys.HOME)  # smoke all over
    rows = []
    for key in (Keys.HOME, Keys.END):
        page["opacity"].send_keys(key)
        rows.append(page.row(500))
    check(page.text("opacity-value") == "100 %", f"opacity: {page.text('opacity-value')}")
    check(rows[0] != rows[1], "opacity does not show")
    page.set("opacity", 0.6)
    page.set("threshold", 0.5)


def reads_under_the_cursor(page):
    ActionChains(page.driver).move_to_element(page["canvas"]).perform()
    check(
        re.match(r"Row 12[78], column 12[78]: \d+\.\d % smoke", page.text("cursor")), f"cursor: {page.text('cursor')}"
    )
    row = int(re.search(r"Row (\d+)", page.text("cursor"))[1])
    page.driver.execute_script("arguments[0].focus()", page["canvas"])
    page["canvas"].send_keys(Keys.ARROW_DOWN)
    check(f"Row {row + 1}," in page.text("cursor"), f"an arrow key: {page.text('cursor')}")


def downloads_what_the_server_says(page, tile, downloads):
    for name, accept, file in (
        ("mask", "image/png; threshold=0.5", f"{tile.stem}_mask.png"),
        ("geojson", "application/geo+json; threshold=0.5", f"{tile.stem}.geojson"),
    ):
        page[name].click()
        page.wait((downloads / file).exists, f"{file} was not downloaded")
        check((downloads / file).read_bytes() == answer(page.url, tile, accept), f"{file} is not the server's")


def takes_a_drop(page, tile):
    box = page["picture"].rect
    data = {"items": [], "files": [str(tile)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 20}
        page.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
    page.loaded(tile.name)


def takes_a_sample(page, name):
    page.wait(page["samples"].is_displayed, "no samples are offered")
    Select(page["sample"]).select_by_visible_text(name)
    page.loaded(name)


def tells_of_too_many_bands(page, name):
    page["bands"].send_keys(Keys.CONTROL, "a")
    page["bands"].send_keys(Keys.BACKSPACE, Keys.ENTER)
    page.wait(lambda: "7 bands, the model takes 6" in page.text("problem"), "seven bands go without a word")
    page["bands"].send_keys(BANDS, Keys.ENTER)
    page.wait(lambda: page.text("problem") == "", f"a problem stands: {page.text('problem')}")
    page.loaded(name)


def tells_of_an_error(page, folder):
    broken = folder / "broken.tif"
    broken.write_bytes(b"II*\0 and no more")
    page["file"].send_keys(str(broken))
    page.wait(lambda: page.text("problem").startswith("broken.tif: "), "a broken file goes without a word")
    check(page["canvas"].is_displayed(), "an error takes the picture away")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plume")
    parser.add_argument("plume_infer")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--axe", type=pathlib.Path)
    options = parser.parse_args()
    tiles = sorted((options.data / "goes16_tiles" / "original_float32").glob("*_48_19.tif"))
    keras = options.data / "pixel_detector" / "smoke_wmts_ref_3layer.h5"
    expected = options.data / "pixel_detector" / "expected" / f"{keras.stem}__48_19.npy"
    if not tiles or not keras.exists():
        skip("NASA's model and GOES tiles are not there")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        samples, downloads = folder / "samples", folder / "downloads"
        samples.mkdir()
        downloads.mkdir()
        model = folder / "model.safetensors"
        subprocess.run(
            [options.plume, "import", "keras", keras, "--output", model], check=True, stdout=subprocess.DEVNULL
        )
        tile = pathlib.Path(shutil.copy(tiles[0], folder / "tile.tif"))
        shutil.copy(tile, samples / "a sample.tif")
        url = stack.enter_context(serving(options.plume_infer, model, "--samples", samples)) + "/"
        driver = stack.enter_context(browser(downloads))
        page = Page(driver, url)
        takes_a_file(page, tile, 100 * float((numpy.load(expected) > 0.5).mean()))
        moves_the_threshold(page)
        moves_the_opacity(page)
        reads_under_the_cursor(page)
        downloads_what_the_server_says(page, tile, downloads)
        takes_a_drop(page, pathlib.Path(shutil.copy(tile, folder / "dropped.tif")))
        takes_a_sample(page, "a sample.tif")
        for shown in look(driver, options.screenshots, "page"):
            if options.axe:
                check(not (found := faults(driver, options.axe)), f"{shown}: {'; '.join(found)}")
        check(not (messages := console(driver)), f"the console says: {messages}")
        tells_of_too_many_bands(page, "a sample.tif")
        tells_of_an_error(page, folder)
        check(not (outside := outside_requests(driver, url)), f"asked elsewhere: {outside}")
    print("page_test.py: all as it should be")


if __name__ == "__main__":
    main()
