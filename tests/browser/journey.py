"""Walks through JupyterLab as a user does; fails at the first step that does not show what it should.

Screenshots of every step, also of the one that fails, go to the folder that is the only argument.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

#: A busy machine is slow; what never comes takes forever.
PATIENCE = 60_000
#: How long an interrupt may take, in seconds.
PROMPT = 2.0

ARTEFACTS = Path(sys.argv[1]).absolute()
LAKESH = Path(os.environ["LAKESH_BINARY"]).absolute()

TRIPS = """CREATE TABLE trips AS
  SELECT value AS trip, 1 + value % 4 AS riders,
         round(1.5 + (value * 37 % 101) / 10.0, 2) AS distance_km,
         CASE WHEN value % 7 = 0 THEN NULL ELSE 'district ' || (value % 5) END AS district
  FROM range(3000);
SELECT * FROM trips"""
ENDLESS = "SELECT count(*) FROM range(2000000000) a, range(2000000000) b WHERE a.value % 7 = b.value % 5"
CHART = "\\chart bar x=district y=avg(distance_km) SELECT * FROM trips"
FACETS = "%%chart histogram x=distance_km facet=riders\nSELECT distance_km, riders FROM trips;"
PLAN = """EXPLAIN ANALYZE SELECT t.district, count(*) AS trips
FROM trips t JOIN trips u ON t.trip = u.trip
WHERE u.distance_km > 3 GROUP BY t.district ORDER BY 2 DESC"""
PROFILE = "SELECT column_name, missing_rate, mean FROM feature_profile('trips')"
DRIFT = "DRIFT (SELECT * FROM trips WHERE distance_km > 4) AGAINST trips"

#: One cell each, in the order of the steps.
CELLS = [TRIPS, "", "SELECT * FROM trips", ENDLESS, "SELECT 6 * 7 AS answer", CHART, FACETS, PLAN, PROFILE, DRIFT]


def notebook():
    cells = [
        {"cell_type": "code", "id": f"cell-{place}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for place, source in enumerate(CELLS)
    ]
    kernel = {"name": "lakesh", "display_name": "SQL (lakesh)", "language": "sql"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells})


def setting(home, name, **values):
    """Writes what JupyterLab's settings editor would write."""
    folder = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))


@contextmanager
def jupyter_lab(home):
    """JupyterLab on a port of its own, in a home of its own, with the kernel installed."""
    lake = home / "lake"
    lake.mkdir()
    (lake / ".lakesh").mkdir()
    (lake / "journey.ipynb").write_text(notebook())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKESH", "XDG_", "JUPYTER"))}
    environment = kept | {"HOME": str(home)}
    setting(home, "notification", fetchNews="false", checkForUpdates=False)
    subprocess.run([LAKESH, "kernel", "install", "--user"], env=environment, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "ServerApp.token": "''", "ServerApp.port": port, "ServerApp.port_retries": 0, "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in settings.items())]
    with open(ARTEFACTS / "jupyterlab.log", "wb") as log:
        server = subprocess.Popen(command, cwd=lake, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for(address, server):
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=5).close()
            return
        except OSError:
            if server.poll() is not None:
                sys.exit(f"JupyterLab ended with status {server.returncode}; see {ARTEFACTS / 'jupyterlab.log'}")
            time.sleep(0.1)
    sys.exit("JupyterLab does not answer")


class Journey:
    """The page, and the notebook on it."""

    def __init__(self, page, address, home):
        self.page = page
        self.address = address
        self.home = home

    def open(self):
        self.page.goto(f"{self.address}/lab/tree/journey.ipynb?reset")
        expect(self.cell(0)).to_be_visible(timeout=PATIENCE)
        # The sidebar takes room that the screenshots are for.
        # A cell that is run before its kernel is connected does not run.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("SQL (lakesh) | Idle", timeout=PATIENCE)
        if self.page.locator("#jp-left-stack").is_visible():
            self.page.keyboard.press("Control+b")

    def cell(self, place):
        return self.page.locator(".jp-Notebook .jp-Cell").nth(place)

    def editor(self, place):
        editor = self.cell(place).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+End")
        return editor

    def run(self, place):
        self.editor(place)
        self.page.keyboard.press("Control+Enter")
        return self.cell(place)

    def picture(self, name, where=None):
        (where or self.page).screenshot(path=ARTEFACTS / f"{name}.png")

    def top_picture(self, name):
        """The page around the notebook's first cells, for the guide."""
        self.cell(0).scroll_into_view_if_needed()
        box = self.page.locator(".jp-Notebook").first.bounding_box()
        clip = {"x": box["x"], "y": box["y"], "width": min(box["width"], 856), "height": min(box["height"], 560)}
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", clip=clip)

    # The steps, in the order in which they are taken.

    def see_a_table(self):
        cell = self.run(0)
        table = cell.locator("table.lakesh-result")
        expect(table).to_be_visible(timeout=PATIENCE)
        expect(table.locator("th").filter(has_text="distance_km")).to_contain_text("double")
        expect(table.locator("tbody tr")).to_have_count(1000)
        expect(table.locator("td.null").first).to_have_text("NULL")
        expect(cell.locator(".lakesh-footer")).to_have_text("first 1,000 rows; more exist")
        self.top_picture("table")

    def complete_a_column(self):
        self.editor(1)
        self.page.keyboard.type("SELECT t.di FROM trips t")
        for _ in range(len(" FROM trips t")):
            self.page.keyboard.press("ArrowLeft")
        self.page.keyboard.press("Tab")
        offered = self.page.locator(".jp-Completer .jp-Completer-item")
        expect(offered.filter(has_text="distance_km")).to_be_visible(timeout=PATIENCE)
        expect(offered).to_have_count(2)
        self.picture("completion")
        self.page.keyboard.press("Enter")
        expect(self.cell(1).locator(".cm-content")).to_have_text("SELECT t.distance_km FROM trips t")

    def look_at_a_table(self):
        self.editor(2)
        self.page.keyboard.press("Shift+Tab")
        tooltip = self.page.locator(".jp-Tooltip")
        expect(tooltip).to_contain_text("table trips", timeout=PATIENCE)
        for said in ["delta", "3000", "distance_km", "DOUBLE"]:
            expect(tooltip).to_contain_text(said)
        self.top_picture("tooltip")
        self.page.keyboard.press("Escape")
        expect(tooltip).to_have_count(0)

    def interrupt_a_query(self):
        cell = self.run(3)
        # The line that says how far it is: then the query runs.
        expect(cell.locator(".jp-OutputArea-output")).to_contain_text("busiest", timeout=PATIENCE)
        self.picture("progress")
        begin = time.monotonic()
        self.page.locator("[data-command='notebook:interrupt-kernel']").first.click()
        error = cell.locator("[data-mime-type='application/vnd.jupyter.error'], .jp-RenderedText")
        expect(error.filter(has_text="interrupted")).to_be_visible(timeout=PATIENCE)
        took = time.monotonic() - begin
        assert took < PROMPT, f"the interrupt took {took:.1f} s"
        expect(cell.locator(".jp-OutputArea-output")).not_to_contain_text("busiest")
        # The session lives on, with what it knew.
        expect(self.run(4).locator("table.lakesh-result td")).to_have_text("42", timeout=PATIENCE)
        self.picture("interrupt")

    def see_a_chart(self):
        for place, name in [(5, "chart"), (6, "facets")]:
            cell = self.run(place)
            chart = cell.locator(".vega-embed canvas, .vega-embed svg.marks")
            expect(chart.first).to_be_visible(timeout=PATIENCE)
            box = chart.first.bounding_box()
            assert box["width"] > 300 and box["height"] > 150, box
            self.picture(name, cell)

    def see_a_plan(self, name="plan"):
        cell = self.run(7)
        plan = cell.locator("svg.lakesh-plan")
        expect(plan).to_be_visible(timeout=PATIENCE)
        expect(plan).to_contain_text("HashJoin")
        expect(plan).to_contain_text("time over all threads")
        assert cell.locator("svg.lakesh-plan .lakesh-box").count() > 4
        contrast = plan.evaluate(CONTRAST)
        assert contrast >= 4.5, f"text and panel have a contrast of {contrast:.1f}"
        # The text is there for those who want it.
        cell.locator("summary").click()
        expect(cell.locator("table.lakesh-result")).to_contain_text("HashJoinExec")
        cell.locator("summary").click()
        self.picture(name, cell)

    def see_distributions(self):
        for place, name in [(8, "profile"), (9, "drift")]:
            cell = self.run(place)
            expect(cell.locator("table.lakesh-result")).to_contain_text("distance_km", timeout=PATIENCE)
            expect(cell.locator(".vega-embed canvas, .vega-embed svg.marks").first).to_be_visible(timeout=PATIENCE)
            self.picture(name, cell)

    def turn_dark(self):
        setting(self.home, "themes", theme="JupyterLab Dark")
        self.open()
        expect(self.page.locator("body[data-jp-theme-light='false']")).to_have_count(1, timeout=PATIENCE)
        self.see_a_plan("plan-dark")


#: The contrast between a picture's text and its panel, as WCAG 2 defines it.
CONTRAST = """picture => {
    const light = name => {
        const fill = getComputedStyle(picture.querySelector(name)).fill.match(/[0-9.]+/g).slice(0, 3);
        const [r, g, b] = fill.map(part => part / 255).map(part =>
            part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [low, high] = [light("text"), light(".lakesh-box")].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
}"""

STEPS = ["open", "see_a_table", "complete_a_column", "look_at_a_table", "interrupt_a_query", "see_a_chart", "see_a_plan", "see_distributions", "turn_dark"]


def walk(journey):
    for step in STEPS:
        begin = time.monotonic()
        try:
            getattr(journey, step)()
        except BaseException:
            journey.picture(f"failed-{step}")
            print(f"{step}: FAILED")
            raise
        print(f"{step}: ok, {time.monotonic() - begin:.1f} s")


shutil.rmtree(ARTEFACTS, ignore_errors=True)
ARTEFACTS.mkdir(parents=True)
with tempfile.TemporaryDirectory(prefix="lakesh-browser-") as home, jupyter_lab(Path(home)) as address:
    with sync_playwright() as playwright:
        # Without a user of its own in a container Chromium's sandbox does not start.
        browser = playwright.chromium.launch(executable_path=os.environ.get("LAKESH_BROWSER"), args=["--no-sandbox"])
        try:
            walk(Journey(browser.new_page(viewport={"width": 1100, "height": 900}), address, Path(home)))
        finally:
            browser.close()
print(f"screenshots: {ARTEFACTS}")
