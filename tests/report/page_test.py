#!/usr/bin/env python3
"""The page of plume report in a real browser: page_test.py PLUME [--screenshots FOLDER] [--axe axe.min.js]

Draws scenes, trains two small networks on them, makes the page of one and of both. Fails where the page asks for anything,
says something on the console, shows no curve or picture, is too wide, or (with axe-core) has a serious fault of
accessibility; and where the page of a run of 500 epochs is larger than 5 MB. Exit status 77: no browser here.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from browser import browser, check, console, faults, look, outside_requests

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CURVES = 6 + 4  # of the training, and of the best model over thresholds
LARGEST = 5e6  # bytes
CONFIG = """
[data]
shard = "{shard}"
[model]
bands = 6
base = 4
depth = 2
[train]
steps = 60
batch = 4
crop = 64
class_share = 0.5
validate_every = 15
log_every = 5
[optimizer]
lr = {rate}
"""


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    check(done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}")


def train(plume, folder, name, shard, rate):
    (folder / f"{name}.toml").write_text(CONFIG.format(shard=shard, rate=rate))
    run(plume, "train", folder / f"{name}.toml", "--out", folder / name, "--quiet")
    return folder / name


def of_500_epochs(trained):
    """The same run as if it had gone on for 500 epochs of 400 steps, a row every ten."""
    long = pathlib.Path(shutil.copytree(trained, trained.with_name("long")))
    rows = [json.loads(line) for line in (long / "log.jsonl").read_text().splitlines()]
    with open(long / "log.jsonl", "w") as log:
        for i in range(500 * 400 // 10):
            log.write(json.dumps(rows[i % len(rows)] | {"step": 10 * (i + 1)}) + "\n")
    return long


def shown(driver, page):
    driver.get(page.as_uri())
    return driver.find_element(By.TAG_NAME, "main")


def has_curves_and_pictures(driver, page, runs):
    main = shown(driver, page)
    curves = main.find_elements(By.CSS_SELECTOR, "figure svg")
    drawn = [one for one in curves if one.find_elements(By.TAG_NAME, "polyline")]
    check(len(drawn) >= CURVES, f"{len(drawn)} curves, {CURVES} expected")
    check(all(one.rect["height"] > 50 for one in drawn), "a curve is flat")
    for one in drawn:
        lines = [line.get_attribute("points") for line in one.find_elements(By.TAG_NAME, "polyline")]
        check("NaN" not in "".join(lines), f"{one.get_attribute('aria-label')}: not a number")
    sizes = driver.execute_script("return [...document.images].map((image) => image.naturalWidth)")
    check(len(sizes) >= 5 * runs and all(size > 0 for size in sizes), f"pictures: {sizes}")
    check(len(main.find_elements(By.CSS_SELECTOR, "tbody tr")) >= runs, "no row for every run")


def reads_a_curve_by_keyboard(driver):
    curve = driver.find_element(By.CSS_SELECTOR, "figure svg")
    driver.execute_script("arguments[0].focus()", curve)
    curve.send_keys(Keys.ARROW_RIGHT)
    caption = curve.find_element(By.XPATH, "../figcaption").text
    check(caption.startswith("step 5:"), f"an arrow key reads: {caption}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plume")
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--axe", type=pathlib.Path)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plume, shard = options.plume, folder / "tiles.h5"
        run(plume, "data", "synth", "--scenes", 3, "--seed", 1, "-o", folder / "scenes")
        run(
            plume,
            "data",
            "pack",
            "--abi",
            folder / "scenes/abi",
            "--hms",
            folder / "scenes/hms",
            "--max-sun-zenith",
            85,
            "--seed",
            1,
            "-o",
            shard,
        )
        first = train(plume, folder, "first", shard, 3e-3)
        second = train(plume, folder, "second", shard, 1e-3)
        run(plume, "report", first)
        run(plume, "report", first, second, "-o", folder / "both.html")
        long = of_500_epochs(first)
        run(plume, "report", long)
        size = (long / "report.html").stat().st_size
        check(size < LARGEST, f"the page of 500 epochs has {size} bytes")

        driver = stack.enter_context(browser(folder))
        for page, runs in ((long / "report.html", 1), (folder / "both.html", 2), (first / "report.html", 1)):
            has_curves_and_pictures(driver, page, runs)
            for looks in look(driver, options.screenshots, page.stem if runs > 1 else page.parent.name):
                if options.axe:
                    check(not (found := faults(driver, options.axe)), f"{page.name}, {looks}: {'; '.join(found)}")
        reads_a_curve_by_keyboard(driver)
        check(not (messages := console(driver)), f"the console says: {messages}")
        check(not (outside := outside_requests(driver, folder.as_uri())), f"asked elsewhere: {outside}")
    print("page_test.py: all as it should be")


if __name__ == "__main__":
    main()
