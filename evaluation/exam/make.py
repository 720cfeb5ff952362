"""Makes the exam "drawn by others": 120 questions about pictures no training world has drawn.

    python evaluation/exam/make.py [--out evaluation/exam] [--seed 7]

Writes questions.jsonl and media/. The committed files are what is evaluated: Chromium and font
rendering differ a little between machines, so a fresh run gives like pictures, not the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import draw
import numpy as np
import pages
from draw import GROUNDS, PAINTS, SHAPES, Thing

QUESTIONS = 120
# fmt: off
WORDS = (
    "BAKERY", "Harbour", "LIBRARY", "Tickets", "EXIT", "Garden", "Museum", "PHARMACY", "Sunday",
    "Fresh Fish", "Mind the step", "Room 12", "No Entry", "SOLD OUT", "Push", "Ring Bell",
    "Waiting Room", "Coffee", "CLOSED", "Open", "Fragile", "Gate 7", "Quiet please", "Bicycles",
    "WET PAINT", "Platform 4", "Honey", "Reception", "Lost Keys", "Toilets", "Pick up", "Oranges",
    "START", "Stop", "Cinema", "Half price", "Ferry", "Staff only", "Lemonade", "Cash desk",
    "PULL", "Yoga", "Choir", "Route 66", "School", "Danger", "Deposit", "Return", "Level 3",
    "Welcome", "Soup", "Market", "Piano", "Kiosk", "Summer", "Recycle", "Camping",
)
# fmt: on
SAME = {
    "cross": ["cross", "plus", "plus sign"],
    "circle": ["circle", "round", "disc"],
    "diamond": ["diamond", "rhombus"],
    "oval": ["oval", "ellipse"],
    "square": ["square", "rectangle"],
}
PLURAL = {"cross": "crosses"}

ASK = {
    "text": [
        "What's written on the {c} {n}?",
        "Tell me the word on the {c} {n}",
        "What does the {c} {n} say?",
        "Read the {c} {n} for me please",
        "Which words are on the {c} {n}?",
        "the {c} {n} - what does it say?",
        "Can you read what is on the {c} one?",
        "There is a {c} {n} somewhere. What is printed on it?",
        "What text can be seen on the {c} {n}?",
        "I need the wording of the {c} {n}.",
        "Please transcribe the {c} {n}.",
        "Look for the {c} {n} and spell out its text.",
        "What message does the {c} {n} carry?",
        "Whats on the {c} {n}",
        "Copy the lettering from the {c} {n}",
        "If I look at the {c} {n}, what do I read?",
        "Give me the inscription on the {c} {n}",
        "And the {c} {n}, what is it for? Just quote it.",
    ],
    "color of word": [
        "What colour is the {n} that says {w}?",
        "Which color does the {w} {n} have?",
        'Where it says "{w}": what colour is the {n}?',
        "{w} is written on a {n} of which colour?",
        "Tell me the colour of the {n} reading '{w}'.",
        "In what color is the {w} {n} painted?",
        "What's the background colour behind the word {w}?",
    ],
    "color of shape": [
        "What colour is the {s}?",
        "Which color is the {s}?",
        "Tell me the {s}'s colour",
        "The {s} is painted in what colour?",
        "What color has the {s} got?",
        "Name the colour of the {s} in this picture.",
        "Someone made a {s} here. In which colour?",
        "How would you call the colour of the {s}?",
        "{s}: colour?",
        "Is there a {s}? What colour is it?",
        "Give me the color of the {s} please",
    ],
    "shape of color": [
        "Which shape is {c}?",
        "What shape is the {c} thing?",
        "What form does the {c} object have?",
        "Tell me what the {c} one is: a circle, a star, something else?",
        "The {c} item, what's its shape",
        "Name the {c} shape.",
        "What kind of figure is drawn in {c}?",
        "Describe the outline of the {c} piece in one word.",
        "I see something {c}. What shape would that be?",
        "What is the geometric form of the {c} element?",
    ],
    "count both": [
        "Count the {c} {p}",
        "How many {c} {p} are there?",
        "How many {c} {p} can you find?",
        "Number of {c} {p}?",
        "Give me the number of {c} {p} in the picture.",
        "I'd like to know how many {p} are {c}.",
        "{c} {p}, how many?",
        "What's the total of {c} {p}?",
        "Of all the {p}, how many are {c}?",
    ],
    "count color": [
        "How many {c} things are there?",
        "How many of the objects are {c}?",
        "Count everything that is {c}.",
        "How many items in {c} do you see?",
        "What is the number of {c} objects?",
        "How often does something {c} appear?",
        "Tell me how many {c} ones there are",
        "how many are {c}",
    ],
    "count shape": [
        "How many {p} are there?",
        "Count the {p} please.",
        "How many {p} do you see in the image?",
        "What number of {p} does the picture show?",
        "Are there {p}? How many?",
        "How many {p} altogether, whatever their colour?",
        "Number of {p}:",
    ],
    "count signs": [
        "How many {q} can you see?",
        "How many {q} does the picture show in total?",
        "Count all {q}",
        "How many {q} are shown here?",
        "What is the number of {q}?",
    ],
}
FAMILY = {
    "text": "text_extraction",
    "color of word": "attribute_recognition",
    "color of shape": "attribute_recognition",
    "shape of color": "attribute_recognition",
}


class Maker:
    """Draws pictures and asks about them, never twice in a row with the same words."""

    def __init__(self, out: Path, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.out = out
        self.records: list[dict] = []
        self.used: Counter[str] = Counter()
        self.pictures = 0
        self.words: list[str] = []

    def pick(self, values: object, count: int) -> list[str]:
        return [str(one) for one in self.rng.permutation(sorted(values))[:count]]

    def word(self) -> str:
        self.words = self.words or self.pick(WORDS, len(WORDS))
        return self.words.pop()

    def ask(self, picture: str, topic: str, gold: str | list[str], kind: str, **parts: str) -> None:
        """Adds a question in the wording of its topic used least so far."""
        least = min(self.used[text] for text in ASK[topic])
        wording = str(self.rng.choice([text for text in ASK[topic] if self.used[text] == least]))
        self.used[wording] += 1
        record = {
            "id": f"exam-{len(self.records):03d}",
            "image": picture,
            "question": wording.format(**parts),
            "answer": gold,
            "answer_type": kind,
            "family": FAMILY.get(topic, "object_counting"),
        }
        self.records.append(record)

    def save(self, picture: object) -> str:
        name = f"media/{self.pictures:03d}.jpg"
        self.pictures += 1
        picture.save(self.out / name, quality=84)
        return name

    def signs(self, index: int) -> None:
        """A picture with two to six signs: one question each about text, colour or number."""
        kind = str(self.rng.choice(sorted(GROUNDS)))
        size = self.size()
        count = int(self.rng.integers(2, 7))
        colors = self.pick(set(PAINTS) - GROUNDS[kind] - {"grey"}, min(count, 6))
        shapes = [str(self.rng.choice(["plate", "plate", "pointer", "circle"])) for _ in colors]
        things = [Thing(s, c, self.word()) for s, c in zip(shapes, colors, strict=True)]
        page = index % 4
        if page == 1:
            picture, noun = pages.notices(things, size, self.rng), "card"
        elif page == 3:
            picture, noun = pages.panel(things, size, self.rng), "button"
        else:
            picture, noun = draw.signs(things, kind, size, self.rng), "sign"
        name = self.save(picture)
        noun = noun if noun != "sign" or self.rng.random() < 0.7 else "board"
        first, second, *_ = things
        self.ask(name, "text", first.word, "text", c=first.color, n=noun)
        if index % 3 == 0:
            self.ask(name, "color of word", second.color, "color", w=second.word, n=noun)
        elif index % 3 == 1:
            self.ask(name, "text", second.word, "text", c=second.color, n=noun)
        elif len(things) > 2:
            self.ask(name, "count signs", str(len(things)), "number", q=f"{noun}s")

    def few(self, index: int) -> None:
        """Two to five objects, all different: what colour, which shape."""
        kind, size = str(self.rng.choice(sorted(GROUNDS))), self.size()
        count = int(self.rng.integers(2, 6))
        shapes = self.pick(SHAPES, count)
        colors = self.pick(set(PAINTS) - GROUNDS[kind], count)
        things = [Thing(s, c) for s, c in zip(shapes, colors, strict=True)]
        if index % 3 == 2:
            name = self.save(pages.stickers(things, size, self.rng))
        else:
            name = self.save(draw.objects(things, kind, size, self.rng))
        first, second, *_ = things
        self.ask(name, "color of shape", first.color, "color", s=first.shape)
        gold = SAME.get(second.shape, second.shape)
        self.ask(name, "shape of color", gold, "word", c=second.color)

    def many(self, index: int) -> None:
        """Four to twelve objects of a few kinds: how many of one colour, shape or both."""
        kind, size = str(self.rng.choice(sorted(GROUNDS))), self.size()
        shapes = self.pick(["circle", "square", "triangle", "star", "diamond", "cross"], 3)
        colors = self.pick(set(PAINTS) - GROUNDS[kind] - {"grey", "white"}, 3)
        count = int(self.rng.integers(4, 13))
        things = [
            Thing(str(self.rng.choice(shapes)), str(self.rng.choice(colors))) for _ in range(count)
        ]
        if index % 3 == 0:
            picture = draw.objects(things, kind, size, self.rng)
        else:
            picture = [pages.stickers, pages.markers][index % 3 - 1](things, size, self.rng)
        name = self.save(picture)
        one, other = things[0], things[-1]
        plural = PLURAL.get(other.shape, f"{other.shape}s")
        both = sum(thing == other for thing in things)
        self.ask(name, "count both", str(both), "number", c=other.color, p=plural)
        if index % 2:
            number = sum(thing.color == one.color for thing in things)
            self.ask(name, "count color", str(number), "number", c=one.color)
        else:
            number = sum(thing.shape == other.shape for thing in things)
            self.ask(name, "count shape", str(number), "number", p=plural)

    def size(self) -> tuple[int, int]:
        width, height = self.rng.integers(400, 901, 2)
        if not 0.6 <= width / height <= 1.7:
            height = width * 3 // 4
        return int(width), int(height)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the exam drawn by others.")
    parser.add_argument("--out", type=Path, default=draw.HERE)
    parser.add_argument("--seed", type=int, default=7)
    wish = parser.parse_args()
    (wish.out / "media").mkdir(parents=True, exist_ok=True)
    maker = Maker(wish.out, wish.seed)
    for index in range(30):
        maker.signs(index)
    for index in range(15):
        maker.few(index)
    while len(maker.records) < QUESTIONS:
        maker.many(maker.pictures)
    del maker.records[QUESTIONS:]
    lines = [json.dumps(record, ensure_ascii=False) for record in maker.records]
    (wish.out / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    families = Counter(record["family"] for record in maker.records)
    sys.stdout.write(f"{len(lines)} questions about {maker.pictures} pictures: {dict(families)}\n")


if __name__ == "__main__":
    main()
