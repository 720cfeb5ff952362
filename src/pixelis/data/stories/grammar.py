"""Frames of sentences: each kind says the same thing in several wordings with the same slots.

`{adj}` and `{adj2}` are slots of the class `adj`; a slot named twice holds one thing.
"""

from __future__ import annotations

EVENTS: dict[str, tuple[str, ...]] = {
    "deed": (
        "{time} the {adj} {role} {name} {verb} the {adj2} {color} {object} {near} the {place}.",
        "the {adj} {role} {name} {verb} the {adj2} {color} {object} {near} the {place} {time}.",
        "{near} the {place}, {name} the {adj} {role} {verb} the {adj2} {color} {object} {time}.",
    ),
    "meeting": (
        "{name} and the {adj} {animal} {verb} the {adj2} {object} of the {role} {near} the {place} {time}.",
        "{time}, {near} the {place}, {name} and the {adj} {animal} {verb} the {adj2} {object} of the {role}.",
        "the {adj2} {object} of the {role} was what {name} and the {adj} {animal} {verb} {near} the {place} {time}.",
    ),
    "mood": (
        "{name} the {adj} {role} {feeling} because the {color} {animal} {verb} the {object} {near} the {place} {time}.",
        "the {color} {animal} {verb} the {object} {near} the {place} {time}, so {name} the {adj} {role} {feeling}.",
    ),
    "counting": (
        "{time} {name} {verb} {count} {adj} {color} things and the {object} of the {role} {near} the {place}.",
        "{name} {verb} {count} {adj} {color} things and the {object} of the {role} {near} the {place} {time}.",
    ),
}
QUESTIONS: dict[str, tuple[str, ...]] = {
    "which color": (
        "What color is the {adj} {object} of the {role} {near} the {adj2} {animal}?",
        "Tell me the color of the {adj} {object} of the {role} {near} the {adj2} {animal}.",
        "Which color does the {adj} {object} of the {role} {near} the {adj2} {animal} have?",
        "The {adj} {object} of the {role} {near} the {adj2} {animal}: what color is it?",
    ),
    "how many": (
        "How many {adj} {color} {object} pictures does the {role} {near} the {place} have?",
        "Count the {adj} {color} {object} pictures of the {role} {near} the {place}.",
        "The {role} {near} the {place} has how many {adj} {color} {object} pictures?",
    ),
    "what text": (
        "What is written on the {color} {object} {near} the {adj} {animal} in the {place}?",
        "Read the words on the {color} {object} {near} the {adj} {animal} in the {place}.",
        "What does the {color} {object} {near} the {adj} {animal} in the {place} say?",
    ),
}
LINKS: dict[str, tuple[str, ...]] = {
    "said": (
        '"Where is my {adj} {object}?" asked {name}.',
        '"Have you seen my {adj} {object}?" {name} asked.',
    ),
    "then": (
        "Then {name} {feeling}.",
        "After that, {name} {feeling}.",
    ),
    "lived": (
        "Once there was a {adj} {animal} who lived {near} the {place}.",
        "A {adj} {animal} once lived {near} the {place}.",
    ),
    "gave": (
        "The {role} gave {name} a {color} {object} for the {animal}.",
        "{name} got a {color} {object} for the {animal} from the {role}.",
    ),
    "went": (
        "They all went to the {place} and {verb} a {adj} {object}.",
        "So they went to the {place} and {verb} a {adj} {object}.",
    ),
}
KINDS = EVENTS | QUESTIONS | LINKS
# Pairs of slots of which some combinations are kept out of training.
PAIRS = (
    ("adj2", "object"),
    ("verb", "object"),
    ("color", "object"),
    ("adj", "animal"),
    ("adj", "role"),
)
