"""What kinds of answers there are, and the words that belong to each."""

from __future__ import annotations

from typing import Literal, get_args

AnswerType = Literal["number", "word", "color", "yes_no", "option", "box", "list", "text"]
CANNOT = "I can't see that"  # how an answer begins that says it cannot be known from the picture
ANSWER_TYPES: tuple[str, ...] = get_args(AnswerType)

COLORS = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
)

# Only names that nearly everybody puts under one basic term. Names on a border (cyan, teal,
# turquoise, maroon, peach, salmon, olive, khaki) are left out: as themselves they match only
# themselves, so a scorer never turns a near miss into a hit.
COLOR_SYNONYMS = {
    "gray": "grey",
    "silver": "grey",
    "charcoal": "grey",
    "crimson": "red",
    "scarlet": "red",
    "gold": "yellow",
    "golden": "yellow",
    "lime": "green",
    "emerald": "green",
    "navy": "blue",
    "azure": "blue",
    "violet": "purple",
    "lilac": "purple",
    "lavender": "purple",
    "indigo": "purple",
    "fuchsia": "pink",
    "rose": "pink",
    "tan": "brown",
    "beige": "brown",
    "chocolate": "brown",
    "ebony": "black",
    "ivory": "white",
}

YES = frozenset({"yes", "yeah", "yep", "yup", "y", "true", "correct"})
NO = frozenset({"no", "nope", "nah", "n", "false", "incorrect", "none", "not"})
DOUBT = frozenset({"sure", "certain", "clear", "known", "enough"})  # "not sure" is no "no"

ONES = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}

# Spelling and plural variants of units -> one symbol. Currency signs stand before the number.
UNITS = {
    "%": "%",
    "percent": "%",
    "$": "$",
    "dollar": "$",
    "dollars": "$",
    "usd": "$",
    "€": "€",
    "euro": "€",
    "euros": "€",
    "eur": "€",
    "£": "£",
    "pound": "£",
    "pounds": "£",
    "gbp": "£",
    "px": "px",
    "pixel": "px",
    "pixels": "px",
    "mm": "mm",
    "cm": "cm",
    "centimetre": "cm",
    "centimetres": "cm",
    "centimeter": "cm",
    "centimeters": "cm",
    "m": "m",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "km": "km",
    "kilometre": "km",
    "kilometres": "km",
    "kilometer": "km",
    "kilometers": "km",
    "g": "g",
    "gram": "g",
    "grams": "g",
    "kg": "kg",
    "kilogram": "kg",
    "kilograms": "kg",
    "s": "s",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "min": "min",
    "minute": "min",
    "minutes": "min",
    "h": "h",
    "hour": "h",
    "hours": "h",
}
