"""What worlds write on things: words, short phrases, numbers, codes, page text."""

from __future__ import annotations

import numpy as np

NOUNS = (
    "apple bread bridge cabin candle castle cherry cloud coffee copper corner desert dragon engine "
    "falcon farm forest garden ginger glass harbor honey island jacket kettle ladder lemon lion "
    "market melon meadow mirror museum needle ocean office olive orange palace paper pepper piano "
    "pilot pocket potato puzzle rabbit river rocket salmon school shadow silver spring stone storm "
    "sugar summer table tiger timber tomato tower train travel tunnel valley velvet violet wagon "
    "water whale window winter wizard yellow zebra bakery library pharmacy platform reception"
).split()
VERBS = (
    "open closed push pull stop go wait start exit enter ready sold free sale danger caution quiet "
    "please private public reserved welcome parking tickets office hours no entry keep out this way"
).split()
# Names of things that no world draws: what people ask about is not limited to what is drawn.
EVERYDAY = (
    "ankle arm armchair arrow axle backpack baker band bank barn basket bath beard bed bee beer "
    "belt bench bicycle bill bird blanket boat bolt bone book boot bridge broom brush bucket "
    "building bus cable cake calendar camera candle canoe car carpet cart cat chain chair chart "
    "cheese chest child church circuit clock cloth coat collar company computer cook cow crane "
    "crown curtain deck desk diagram dog doll drawer dress driver drum duck ear elbow engine "
    "envelope eye face fan farmer fence finger fire floor foot fork fountain fox fridge frog "
    "garage glove goat grass guitar hair hammer hand handle harbour head helmet hill hoof horn "
    "horse hotel house insect invoice iron jeep judge keyboard knee knife lake lawn leg letter "
    "lift lock lorry map mask meadow menu microphone moon motor mountain mouse mouth nail neck "
    "nest net newspaper nose nurse oven owl paddle page pan parrot passenger path pedal pen "
    "pencil phone photo pig pipe plane plant player plug pole pony pot pump purse queen quilt "
    "radio rail ramp receipt rider ring road robe robin roof rope rug ruler sail sailor "
    "sandwich saw screen seat shed sheep shelf ship shoe shop shoulder shovel singer sink skirt "
    "sky slide snake soap soldier soup spade spider spoon stairs statue stool stove street swan "
    "swing table tail tap taxi teacher tie tiger toe tower tractor tram trousers truck trumpet "
    "tub tyre vest village violin waiter wave whistle wing wire witness woman wrist yard"
).split()
GLYPHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _case(rng: np.random.Generator, text: str) -> str:
    return (text.upper, text.title, text.lower)[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]()


def _token(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.5:
        return _case(rng, str(rng.choice(NOUNS)))
    if kind < 0.72:
        return _case(rng, str(rng.choice(VERBS)))
    if kind < 0.9:
        return str(int(rng.integers(10, 10 ** int(rng.integers(2, 5)))))
    letters = "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVXYZ"), 2))
    return f"{letters}-{int(rng.integers(10, 999))}"


def draw_lines(rng: np.random.Generator) -> list[str]:
    """One to three lines for a sign or card; sometimes one single letter or digit."""
    if rng.random() < 0.12:
        return [str(rng.choice(list(GLYPHS)))]
    count = int(rng.choice((1, 2, 3), p=(0.66, 0.26, 0.08)))
    return [
        " ".join(_token(rng) for _ in range(int(rng.choice((1, 2), p=(0.7, 0.3)))))
        for _ in range(count)
    ]


def draw_page(rng: np.random.Generator) -> list[str]:
    """Four to nine lines of plain words."""
    pool = NOUNS + VERBS
    return [
        " ".join(str(word) for word in rng.choice(pool, int(rng.integers(2, 5)))).capitalize()
        for _ in range(int(rng.integers(4, 10)))
    ]
