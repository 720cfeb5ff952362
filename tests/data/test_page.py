import re
from html.parser import HTMLParser

from pixelis.data.episodes import read_samples
from pixelis.data.page import figures_page, sheet
from pixelis.data.statistics import gather


class Words(HTMLParser):
    """The words of a page, and its pictures; balanced tags only."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.images, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in ("img", "meta", "br", "wbr", "line", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.words.append(data)


def test_a_sheet_shows_every_episode(clean):
    samples = list(read_samples(clean))
    page = Words(sheet(samples, "Some <title>"))
    assert page.open == []
    text = "".join(page.words)
    assert "Some <title>" in text
    for sample in samples:
        assert sample.episode.question in text
        assert sample.episode.answer.text in text
    shown = sum(1 + sum(o.image is not None for o in s.episode.observations) for s in samples)
    assert len(page.images) == shown
    assert all(image["src"].startswith("data:image/jpeg") for image in page.images)


def test_nothing_is_loaded_and_nothing_runs(clean):
    text = sheet(read_samples(clean), "x")
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert "default-src 'none'" in text


def test_a_missing_source_is_told_on_its_card(episodes):
    next(read_samples(episodes)).media_path.unlink()
    text = "".join(Words(sheet(list(read_samples(episodes)), "x")).words)
    assert "media: is not at" in text


def test_figures_are_drawn_to_scale(clean):
    figures, _ = gather(clean)
    text = figures_page(figures, "x")
    assert Words(text).open == []
    widths = [float(w) for w in re.findall(r'class="bar" style="width:([\d.]+)%', text)]
    assert max(widths) == 100
    train, test = figures["split"]["train"], figures["split"]["test"]
    assert f"width:{100 * test / train:.1f}%" in text
