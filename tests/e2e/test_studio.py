"""The Studio in a real browser: ask, live steps, correcting, memory, review; keyboard and phone.

With PIXELIS_SHOTS=FOLDER the pictures of docs/images are drawn there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from pixelis.agent import Agent
from pixelis.episode import Episode
from pixelis.memory.erase import erase
from pixelis.online.versions import Versions
from pixelis.server.archive import Archive
from pixelis.server.keys import Keys
from pixelis.server.runs import Runs
from pixelis.server.settings import Settings

_spec = spec_from_file_location("studio_rig", Path(__file__).parents[1] / "server" / "rig.py")
rig = sys.modules["studio_rig"] = module_from_spec(_spec)
_spec.loader.exec_module(rig)

WAIT_MS = 90_000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The bundled models and an empty memory."""
    with ExitStack() as stack:
        agents = {name: stack.enter_context(Agent.load(name)) for name in ("nano", "nano-direct")}
        archive = Archive(tmp_path_factory.mktemp("studio") / "store")
        stack.callback(archive.close)
        yield stack.enter_context(
            rig.running(agents, Settings(port=0), Keys(), archive=archive)
        )  # fmt: skip


@pytest.fixture(scope="module")
def chrome():
    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next((found for name in names if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=binary, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(server, chrome):
    """Opens the page; at the end it must have asked nobody else and complained about nothing."""
    troubles, pages = [], []

    def start(base: str = "", **options) -> Page:
        page = chrome.new_page(**{"viewport": {"width": 1360, "height": 860}, **options})
        page.set_default_timeout(WAIT_MS)
        own = (base or server.base, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or troubles.append(r.url))
        page.on("console", lambda m: m.type == "error" and troubles.append(m.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{base or server.base}/")
        pages.append(page)
        return page

    yield start
    for page in pages:
        page.close()
    assert troubles == []


def shoot(page: Page, name: str, **options) -> None:
    if folder := os.environ.get("PIXELIS_SHOTS"):
        page.screenshot(path=Path(folder) / f"studio-{name}.png", **options)


def ask_sample(page: Page) -> None:
    page.get_by_role("button", name="Use the sample picture").click()
    page.locator("#tries button").first.wait_for()
    page.get_by_placeholder("Ask about the picture").fill(rig.QUESTION)
    page.keyboard.press("Enter")


def answered(page: Page, lane: int = 0) -> None:
    page.locator(".lane").nth(lane).locator(".acts").wait_for(state="visible")


def test_an_answer_with_the_pixels_behind_it(open_page, server):
    page = open_page()
    ask_sample(page)
    page.locator(".step").first.wait_for()
    answered(page)
    kept = server.office.recent.newest(None, 1)[0].episode
    expect(page.locator(".answer")).to_have_text(kept.answer.text)
    expect(page.locator(".step")).to_have_count(len(kept.steps))
    page.locator(".answer .part").first.click()
    expect(page.locator(".mark.on")).to_have_count(1)
    box = kept.steps[0].observation.box
    outline = page.locator(".mark.on .stroke").get_attribute("d")
    assert outline.startswith(f"M{box.x1:g} {box.y1:g}")
    page.wait_for_timeout(400)
    shoot(page, "answer")
    page.get_by_role("button", name="Show everything").click()
    page.locator(".step").first.hover()
    expect(page.locator(".mark.on")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="as JSON").click()
    saved = Episode.from_json(Path(download.value.path()).read_text())
    assert saved == kept
    with page.expect_download() as download:
        page.get_by_role("button", name="Trace as page").click()
    assert rig.QUESTION in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".step")).to_have_count(1)
    expect(page.locator(".step")).to_have_count(len(kept.steps))


def test_steps_are_there_before_the_answer(open_page, serve_slow):
    page = open_page(serve_slow.base)
    ask_sample(page)
    page.locator(".step").first.wait_for()
    expect(page.locator(".mark")).to_have_count(1)
    assert not page.locator(".answer").is_visible()
    expect(page.locator(".waiting")).to_be_visible()
    answered(page)
    expect(page.locator(".waiting")).to_have_count(0)


@pytest.fixture
def serve_slow():
    with Agent(rig.Slow(2.0)) as agent, rig.running({"slow": agent}, Settings(port=0), Keys()) as s:
        yield s


def test_an_answer_can_be_stopped(open_page, serve_slow):
    page = open_page(serve_slow.base)
    ask_sample(page)
    page.locator(".step").first.wait_for()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".answer")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Ask")).to_be_enabled()
    page.wait_for_timeout(2500)
    metrics = serve_slow.office.metrics
    assert (metrics.cancelled._value.get(), metrics.running._value.get()) == (1, 0)


def test_correcting_with_the_keyboard(open_page, server):
    page = open_page()
    ask_sample(page)
    answered(page)
    page.get_by_role("button", name="Correct it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Right answer")).to_be_focused()
    page.keyboard.type("three hearts")
    page.locator(".film").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    rect = page.locator(".mine")
    x, y, width, height = (float(rect.get_attribute(n)) for n in ("x", "y", "width", "height"))
    assert x > 0.4 * 809
    assert height > 0.2 * 607 > height - 20
    page.get_by_label("Right answer").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("confirmed experience")
    archive = server.office.archive
    stored = archive.memory.page()[0]
    assert stored.provenance["feedback"]["box"] == [x, y, x + width, y + height]
    archive._thread.submit(erase, archive.memory, [stored.id]).result()


CONTRAST = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const srgb = (text) => {  // whatever way the browser writes a colour
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = text; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * under[i]);
  const part = (v) => (v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  const seen = { opacityProperty: true, visibilityProperty: true };
  const bad = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility(seen)) continue;
    if (element.closest("svg, option, template, script, .film")) continue;
    const chain = [];
    for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e));
    let under = [255, 255, 255], opacity = 1;
    for (const style of chain) {
      under = over(srgb(style.backgroundColor), under);
      opacity *= Number(style.opacity);
    }
    const style = chain.at(-1), ink = srgb(style.color), size = parseFloat(style.fontSize);
    ink[3] *= opacity;
    const [a, b] = [light(over(ink, under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(open_page, server, measured, scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1, large text 3 to 1."""
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    page.locator("#model option").first.wait_for(state="attached")
    assert page.evaluate(CONTRAST) == []
    ask_sample(page)
    answered(page)
    page.get_by_role("button", name="Correct it").click()
    assert page.evaluate(CONTRAST) == []
    for name in ("Memory", "Learning", "Review"):
        page.get_by_role("link", name=name).click()
        page.locator("#other h1").first.wait_for()
        page.wait_for_timeout(300)
        assert page.evaluate(CONTRAST) == []
    other = open_page(measured[0].base, color_scheme=scheme)
    other.get_by_role("link", name="Evals").click()
    other.get_by_role("link", name="nano").click()
    other.locator("#failures .card").first.wait_for()
    assert other.evaluate(CONTRAST) == []


def test_two_models_side_by_side(open_page, server):
    page = open_page()
    page.locator("#beside option").nth(1).wait_for(state="attached")
    page.locator("#beside").select_option("nano-direct")
    ask_sample(page)
    answered(page, 0)
    answered(page, 1)
    by_model = {kept.model: kept.episode for kept in server.office.recent.newest(None, 2)}
    for lane, name in enumerate(("nano", "nano-direct")):
        text = page.locator(".lane").nth(lane).locator(".answer")
        expect(text).to_have_text(by_model[name].answer.text)
    page.wait_for_timeout(400)
    shoot(page, "beside", full_page=True)


def test_correcting_by_drawing_then_finding_and_erasing_it(open_page, server):
    page = open_page()
    ask_sample(page)
    answered(page)
    page.get_by_role("button", name="Correct it").click()
    film = page.locator(".film").bounding_box()
    at = lambda x, y: (film["x"] + x / 809 * film["width"], film["y"] + y / 607 * film["height"])  # noqa: E731
    page.mouse.move(*at(560, 500))
    page.mouse.down()
    page.mouse.move(*at(600, 550))
    page.mouse.move(*at(680, 600))
    page.mouse.up()
    page.get_by_label("Right answer").fill("three hearts")
    shoot(page, "correct")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".said")).to_contain_text("confirmed experience")
    stored = server.office.archive.memory.page()[0]
    assert stored.status == "corrected"
    box = stored.provenance["feedback"]["box"]
    assert all(abs(a - b) <= 4 for a, b in zip(box, (560, 500, 680, 600), strict=True))
    assert stored.provenance["corrected"]["answer"]["text"] == "three hearts"

    page.get_by_role("link", name="Memory").click()
    card = page.locator(".card").first
    expect(card).to_contain_text(rig.QUESTION)
    expect(card).to_contain_text("three hearts")
    card.locator("img").evaluate("image => image.decode()")
    shoot(page, "memory")
    page.get_by_placeholder("Find questions like").fill("how many on the black sign")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".card").first).to_contain_text(re.compile(r"like it \d+ %"))
    card.get_by_role("button", name="Erase").click()
    card.get_by_role("button", name="Erase for good?").click()
    expect(page.locator(".card").first).to_contain_text("Erased")
    assert len(server.office.archive.memory) == 0


def test_a_wrong_answer_is_kept_as_rejected(open_page, server):
    page = open_page()
    ask_sample(page)
    answered(page)
    page.get_by_role("button", name="It is wrong").click()
    expect(page.locator(".said")).to_contain_text("Kept as a wrong answer")
    kept = server.office.recent.newest(None, 1)[0]
    assert server.office.archive.memory.get(kept.episode.id).status == "rejected"


def test_the_review_queue(open_page, server):
    page = open_page()
    ask_sample(page)
    answered(page)
    archive, kept = server.office.archive, server.office.recent.newest(None, 1)[0]

    def wait_for_a_reviewer() -> None:
        one = archive.memory.add(archive._shown(kept, server.office.desk.limits), kept.source.data)
        archive.reviews.ask(one.id, "two votes of five said otherwise")

    archive._thread.submit(wait_for_a_reviewer).result()
    page.get_by_role("link", name="Review").click()
    card = page.locator(".card").first
    expect(card).to_contain_text("two votes of five")
    shoot(page, "review")
    card.get_by_placeholder("the right answer").fill("3")
    card.get_by_role("button", name="Correct it").click()
    expect(page.locator(".sheet")).to_contain_text("Nothing waits.")
    assert archive.memory.get(kept.episode.id).status == "corrected"
    assert archive.reviews.of(kept.episode.id).reviewer == "local"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A server that shows a run of nano, a larger one for pictures, and a damaged one."""
    folder = tmp_path_factory.mktemp("runs")
    rig.make_run(folder / "nano", *((70, "none") if os.environ.get("PIXELIS_SHOTS") else (6,)))
    (folder / "broken").mkdir()
    (folder / "broken" / "summary.json").write_text("{")
    runs = Runs(folder)
    with Agent(rig.Slow()) as agent, rig.running(
        {"slow": agent}, Settings(port=0), Keys(), runs=runs
    ) as served:  # fmt: skip
        yield served, runs


def test_evaluation_runs_with_their_failures(open_page, measured):
    served, runs = measured
    run = runs.find("nano")
    wrong = runs.failures(run, 100)
    page = open_page(served.base)
    page.get_by_role("link", name="Evals").click()
    rows = page.locator("#runs tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(f"{100 * run.summary.accuracy:.1f} %")
    expect(page.locator("#runs")).to_contain_text("cannot be read: broken")
    page.get_by_role("link", name="nano").focus()
    page.keyboard.press("Enter")
    cards = page.locator("#failures .card")
    expect(cards).to_have_count(wrong.count)
    first = wrong.worst[0]
    expect(cards.first).to_contain_text(first.question)
    expect(cards.first.locator("dd").first).to_have_text(" / ".join(first.gold))
    families = page.locator("section", has_text="By family").locator("tr")
    expect(families).to_have_count(len(run.summary.by_family))
    name, share = next(iter(run.summary.by_family.items()))
    drawn = families.first.locator(".over")
    assert float(drawn.get_attribute("x")) == pytest.approx(100 * share.ci95[0])
    assert name.replace("_", " ") in families.first.inner_text()
    shoot(page, "evals")
    page.get_by_label("Show").select_option(first.family)
    mine = sum(one.family == first.family for one in wrong.worst)
    expect(cards).to_have_count(mine)
    with page.expect_popup() as popup:
        page.locator("#failures a").first.click()
    popup.value.wait_for_load_state()
    assert "the whole trace" not in popup.value.content()
    assert popup.value.locator("svg").count() > 0
    popup.value.close()
    page.go_back()
    expect(rows).to_have_count(1)


def test_evaluation_runs_on_a_phone(open_page, measured):
    served, _ = measured
    size = {"width": 390, "height": 844}
    page = open_page(served.base, viewport=size, color_scheme="dark", device_scale_factor=2)
    page.get_by_role("link", name="Evals").click()
    page.get_by_role("link", name="nano").click()
    page.locator("#failures .card").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    shoot(page, "evals-phone")


def test_rolling_a_version_back(open_page, server):
    archive = server.office.archive
    updates = [{"kl": 0.01 * n, "entropy": 0.6 - 0.02 * n, "change": 0.1 * n} for n in range(8)]
    tried = {"before": {"accuracy": 0.61}, "after": {"accuracy": 0.64}, "why": ""}

    def add() -> None:
        versions = Versions(archive.memory)
        for _ in range(2):
            made = versions.add(
                lambda folder: (folder / "adapter.txt").write_text("weights"),
                versions.promoted,
                [],
                {"updates": updates, "canary": tried},
            )
            versions.promote(made.number, "no worse than the version before")

    archive._thread.submit(add).result()
    page = open_page()
    page.get_by_role("link", name="Learning").click()
    newest = page.locator("#versions .card").first
    expect(newest).to_contain_text("Version 2")
    expect(newest).to_contain_text("0.640")
    expect(newest.locator("svg")).to_have_count(3)
    newest.get_by_role("button", name="Roll back").click()
    newest.get_by_role("button", name="Roll back: sure?").click()
    expect(newest).to_contain_text("rolled-back")
    expect(page.locator("#learner")).to_contain_text("Version 1 is promoted")
    assert Versions(archive.memory).promoted == 1


def test_with_the_keyboard_alone(open_page):
    page = open_page()
    page.locator("#model option").first.wait_for(state="attached")
    page.get_by_role("button", name="Use the sample picture").focus()
    page.keyboard.press("Enter")
    page.locator("#tries button").first.wait_for()
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(rig.QUESTION)
    page.keyboard.press("Enter")
    answered(page)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".step").first).to_have_attribute("aria-current", "true")
    expect(page.locator(".mark.on")).to_have_count(1)
    page.keyboard.press("z")
    assert page.locator(".film svg").evaluate("e => e.style.transform").startswith("translate")
    page.keyboard.press("Escape")
    expect(page.locator(".mark.on")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()


def test_on_a_phone_in_the_dark(open_page):
    size = {"width": 390, "height": 844}
    page = open_page(viewport=size, color_scheme="dark", device_scale_factor=2)
    ask_sample(page)
    answered(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
    page.evaluate("scrollTo(0, 0)")
    shoot(page, "phone")


def test_a_key_is_asked_for_and_an_error_is_told(chrome):
    with Agent(rig.Slow()) as agent, rig.running(
        {"slow": agent}, Settings(port=0, max_megapixels=0.1), rig.three_keys()
    ) as served:  # fmt: skip
        page = chrome.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{served.base}/")
        page.get_by_label("API key").fill(rig.TOKENS["ask"])
        page.keyboard.press("Enter")
        page.locator("#model option").first.wait_for(state="attached")
        ask_sample(page)
        expect(page.locator(".answer")).to_contain_text("px")
        assert "key" not in json.dumps(page.context.cookies())
        page.close()
