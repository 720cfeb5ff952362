"""How people ask: a small grammar per kind of question, expanded at random.

`[a|b|c]` picks one alternative (they nest), `{slot}` is filled in afterwards. Every kind has far
more than eight phrasings; some openings are kept for held-out splits only (`SHIFT_OPENINGS`).
"""

from __future__ import annotations

import re

import numpy as np

from pixelis.data.beyond import BEYOND
from pixelis.data.questions import QUESTIONS as MORE

CARD = "[sign|sign|label|card|card|plate|board|panel|poster|sticker|tag|note|banner|box|notice|rectangle]"
SHELF = "[shelf|shelf|board|bench|table|plank|counter|bar|platform|stand]"
THING = "[object|object|shape|thing|item|figure|symbol|piece|one|object]"
THINGS = "[objects|objects|shapes|things|items|figures|symbols|pieces|ones]"
# Names that people give to things; which thing is meant follows from the rest of the question.
NOUNS = (
    "[ball|balloon|block|bottle|bowl|button|cake|cap|chip|clip|coin|cookie|cup|cushion|dish|disc|dot|"
    "dress|egg|fish|flag|flower|fruit|gem|hat|jacket|jar|jewel|kite|lamp|leaf|lid|light|logo|magnet|"
    "marble|mug|ornament|parcel|patch|pebble|pillow|plate|present|puck|ribbon|seal|shell|shirt|spot|"
    "stamp|stone|suit|sweet|tile|token|toy|vase|wheel|door|gate|wall|umbrella|bag|scarf|tent]"
)
PLURALS = (
    "[balls|balloons|beads|blocks|bottles|bowls|buttons|cakes|caps|chips|coins|cookies|counters|cups|"
    "discs|dots|eggs|fish|flags|flowers|fruits|gems|hats|jars|jewels|kites|lamps|leaves|lids|lights|"
    "logos|magnets|marbles|medals|mugs|parcels|patches|pebbles|plates|presents|pucks|seals|shells|"
    "spots|stamps|stones|sweets|tiles|tokens|toys|wheels|beans|badges|pills|bricks|berries|nuts]"
)
SOME = f"[{THING[1:-1]}|{NOUNS[1:-1]}]"
_SEE = "[|| in the picture| in the image| in this picture| here| that you see| you can see| in the photo| in view]"
_THERE = "[are there|are there|are in the picture|do you see|can you see|can you count|are visible|are shown|does the picture show]"
_COLOR = "[color|colour]"

QUESTIONS: dict[str, tuple[str, ...]] = {
    "read_card": (
        "What does the {card} say?",
        "What [is|'s] [written|printed] on the {card}?",
        "What [text|word|words|writing|lettering] [is|appears|stands|can be seen] on the {card}?",
        "[Read|Please read|Can you read] [the {card}|the text on the {card}|what is on the {card}][.|]",
        "[Tell me|Say] what the {card} says[.|]",
        "What [text|message] does the {card} [show|carry|bear|have|display]?",
        "[Which|What] [word|words|text] [is|are] on the {card}?",
        "The {card}: what does it say?",
        "What can you read on the {card}?",
        "[Give me|Write down|Copy|Type out|Spell out] the [text|words|writing] [on|of|from] the {card}[.|]",
        "What [number|code|name] is [on|written on|printed on] the {card}?",
        "Look at the {card}. What [does it say|is written there|is on it]?",
        "Text on the {card}?",
        "what is the {card} saying?",
        "[Do you know|I want to know|I'd like to know] what [is written on the {card}|the {card} says][.|?]",
        "[I need|I want|I would like] the [wording|text|words] [of|on] the {card}[.|]",
        "[Someone|Somebody] wrote something on the {card}. What?",
        "What word can [you|one] see on the {card}?",
        "Which [inscription|lettering|message] is on the {card}?",
    ),
    "read_place": (
        "What [does it say|is written|is printed|can you read] {place}?",
        "What [text|word|words] [is|do you see|can be seen] {place}?",
        "[Read|Please read] the [text|words|writing] {place}[.|]",
        "What does the [sign|label|text|card] {place} say?",
        "[Tell me|Say] what is written {place}[.|]",
    ),
    "read_all": (
        "What does [the text|the sign|it|this|the page|the picture|the label|the writing] say?",
        "What does the text in [the|this] [image|picture|photo] say?",
        "[Read|Please read|Can you read] [the text|the sign|the page|this|everything|all the text|it|this page][.|?|]",
        "What [is|'s] written[| here| there| in the picture| in the image| on the page| on the sign| on it]?",
        "What [text|words|writing] [is|are|do you see|can you see] [here|in the picture|in the image|there|on the page]?",
        "[Transcribe|Copy|Type out|Write down] [the text|the page|this page|the sign|all of it|the document|what you read][.|]",
        "[What is|What's|Give me] the text[| in this picture| here| on this page| on the sign][?|]",
        "What can you read[| here| in this picture]?",
        "Which words [are|appear] [in the picture|on the page|here|on the sign]?",
        "[Tell me|Say] what [it says|is written|the sign says|the text says|the page says][.|]",
        "[I need|I want] the [wording|text] [of this|here|of the sign][.|]",
        "What [word|message|inscription] is [shown|on display|on it]?",
        "What [is|'s] [this|it|the] [shop|place|station|street|product|cafe|house|ship|film|band|town] called?",
        "What [is|'s] [written|printed] on the [wall|door|book|shirt|cover|window|bag|bus|van|boat|badge|stone|screen|box|packet|bottle]?",
        "What does [her|his|the|their] [badge|shirt|cap|book|flag|screen|door|wall|bag|label|poster|ticket] say?",
        "Can you [make out|read|tell me] what [it|the sign|the badge|the label|the note|the door] says?",
        "And the [little|small|big|] [sign|note|label], what does that say?",
        "Which [place|town|word|name|number] is [written|named|given] [here|on it|there]?",
        "What [name|number|word] [is|do you see] on [it|the sign|the door|the badge]?",
    ),
    "read_first": (
        "What [is|'s] the [heading|title|headline|first line|top line]?",
        "What [is|'s] the [heading|title|headline] [of|on|at the top of] [this|this page|this note|the page|the sign|this window|this list]?",
        "What does the [first|top] line say?",
        "[Read|Read me|Tell me|Give me|I need] the [title|heading|headline|first line|top line][.|]",
        "What [is|'s] [it|this|this page|the page|the note] [called|headed|about]?",
        "What [is|'s] [written|printed] [right |]at the [very |]top?",
        "what is the [recipe|note|page|letter|list|chart|form] for",
        "[Which|What] [title|heading|name] does [it|the page|this] [have|carry|bear|show]?",
        "How is [this|it|the page] [titled|headed|entitled]?",
    ),
    "read_last": (
        "What [is|'s] the [last line|bottom line|final line]?",
        "What does the [last|bottom|final] line say?",
        "[Read|Read me|Tell me|Give me|I need] the [last|bottom|final] line[.|]",
        "What [is|'s] [written|printed] at the [very |]bottom?",
        "There is [a line|something|some text] at the [very |]bottom, [what does it say|can you read it out]?",
        "How does [the page|the text|it|this] end?",
    ),
    "shape_on": (
        "What shape is [on|shown on|drawn on|printed on] the {card}?",
        "[Which|What] [shape|symbol|figure] [is|do you see|can be seen|appears] on the {card}?",
        "What is the shape [on|of the mark on|of the symbol on|of the thing on|of the small object on] the {card}?",
        "What shape does the [mark|symbol|object|thing|emblem|figure|small shape] on the {card} have?",
        "What [kind|sort] of [shape|symbol|figure] is on the {card}?",
        "[Name|Tell me|Give me] the [shape|symbol] on the {card}[.|]",
        "The {card} has a [mark|symbol|shape] on it. [What|Which] shape is it?",
        "Shape on the {card}?",
        "What is drawn on the {card}?",
        "[Someone|Somebody] drew a [shape|symbol] on the {card}. [Which|What] one?",
        "The [mark|symbol] on the {card} is [a|which] what shape?",
    ),
    "shape_on_color": (
        "What shape is the {chip} {thing} on the {card}?",
        "[Which|What] shape is {chip} on the {card}?",
        "On the {card}, what shape is the {chip} {thing}?",
        "What is the shape of the {chip} {thing} on the {card}?",
        "[Name|Tell me] the shape of the {chip} {thing} on the {card}[.|]",
    ),
    "color_on": (
        f"What {_COLOR} is the {{chip}} on the {{card}}?",
        f"[Which|What] {_COLOR} does the {{chip}} on the {{card}} have?",
        f"On the {{card}} there is a {{chip}}. What {_COLOR} is it?",
        f"What is the {_COLOR} of the {{chip}} on the {{card}}?",
        f"[Tell me|Name|Give me] the {_COLOR} of the {{chip}} on the {{card}}[.|]",
        f"The {{chip}} on the {{card}}: what {_COLOR}?",
        f"In what {_COLOR} is the {{chip}} on the {{card}} [drawn|painted|printed]?",
        f"On the {{card}}, what {_COLOR} is the {{chip}}?",
    ),
    "shape_of": (
        "What shape is the {color} {thing}?",
        "[Which|What] shape is {color}?",
        "What is the shape of the {color} {thing}?",
        "What [kind|sort|type] of shape is the {color} {thing}?",
        "[Name|Tell me|Give me] the shape of the {color} {thing}[.|]",
        "What shape does the {color} {thing} have?",
        "The {color} {thing}: [what|which] shape is it?",
        "What is the {color} {thing}?",
        "Look at the {color} {thing}. What shape is it?",
        "What form does the {color} {thing} have?",
        "[Which|What] {color} shape [is there|do you see|is this|is shown]?",
        f"Shape of the {{color}} {{thing}}{_SEE}?",
        "Can you tell [|me ]what shape the {color} {thing} is?",
        "I see something {color}. What shape is it?",
        "[Someone|Somebody] [made|painted|drew] something {color} here. [Which|What] shape[| is it]?",
        "The {color} {thing} has [which|what] shape?",
        "What is the {color} {thing} shaped like?",
        "Is the {color} {thing} a circle, a square or what?",
        "In {color}, what shape is [there|drawn|shown]?",
        "[Which|What] geometric [shape|form|figure] is the {color} {thing}?",
        f"What shape has the {{color}} {NOUNS} got?",
        f"[What|Which] shape is the {{color}} {NOUNS}?",
    ),
    "color_of": (
        f"What {_COLOR} is the {{shape}}{_SEE}?",
        f"[Which|What] {_COLOR} does the {{shape}} have?",
        f"What is the {_COLOR} of the {{shape}}{_SEE}?",
        f"[Tell me|Name|Give me|Say] the {_COLOR} of the {{shape}}[.|]",
        f"The {{shape}}: what {_COLOR} is it?",
        f"[In what|What] {_COLOR} is the {{shape}} [drawn|painted|shown]?",
        f"{_COLOR} of the {{shape}}?",
        f"Can you tell [|me ]what {_COLOR} the {{shape}} is?",
        f"There is a {{shape}}{_SEE}. What {_COLOR} is it?",
        f"[Which|What] {_COLOR} has the {{shape}}?",
        f"[Someone|Somebody] [made|painted|drew] a {{shape}} here. In [which|what] {_COLOR}?",
        f"The {{shape}} is [painted|drawn|shown|filled] in [which|what] {_COLOR}?",
        f"The {{shape}} has [which|what] {_COLOR}?",
        f"What's the {{shape}}'s {_COLOR}?",
        f"[Which|What] {_COLOR} would you call the {{shape}}?",
        f"There's one {THING} that's a {{shape}}. Its {_COLOR}?",
        f"One of them is a {{shape}}. [Which|What] {_COLOR}?",
    ),
    "color_only": (
        f"What {_COLOR} is the {{noun}}?",
        f"What {_COLOR} is [this|that|her|his|the] {{noun}}?",
        f"what {_COLOR} is the {{noun}}",
        f"[Which|What] {_COLOR} does the {{noun}} have?",
        f"What is the {_COLOR} of the {{noun}}{_SEE}?",
        f"[Tell me|Name|Give me] the {_COLOR} of the {{noun}}[.|]",
        f"The {{noun}}: what {_COLOR} is it?",
        f"There is a {{noun}}{_SEE}. [What {_COLOR} is it|Its {_COLOR}|What {_COLOR}]?",
        f"Somebody [left|put|lost|forgot] a {{noun}} here. [Which|What] {_COLOR} is it?",
        f"[Which|What] {_COLOR} [was|has] the {{noun}} [been painted|painted|been given]?",
        "The {noun} itself, is it white, red or black?",
        "Is the {noun} red, blue or green?",
        f"If I look for the {{noun}}, what {_COLOR} do I have to look for?",
        f"The {{noun}} - what {_COLOR} is it?",
        f"Its {_COLOR}?",
    ),
    "shape_only": (
        "What shape is the {noun}?",
        "[What|Which] shape [has the {noun} got|does the {noun} have|is this {noun}]?",
        "What is the shape of the {noun}?",
        "The {noun} - what shape is it?",
        "[Tell me|Name] the shape of the {noun}[.|]",
        "Is the {noun} a circle, a square or what?",
        "Its shape?",
    ),
    "count_nouns": (
        f"How many {{nouns}} {_THERE}?",
        f"How many {{nouns}} [are there |]in total{_SEE}?",
        "How many {nouns} are [laid out|lying|left|shown|drawn] here?",
        "How many {nouns}?",
        f"[Count|Please count] [the|all the|all] {{nouns}}{_SEE}[.| for me.|]",
        "What is the [total |]number of {nouns}?",
        "[I need|Give me] the number of {nouns}[.|]",
        "{nouns}: how many [in all|are there]?",
        "How many {nouns} does [the picture|it|this] [have|show]?",
    ),
    "color_card": (
        f"What {_COLOR} is the {{card}}?",
        f"[In which|In what|Which|What] {_COLOR} is the {{card}} [painted|printed|made]?",
        f"[Tell me|Name|Give me] the {_COLOR} of the {{card}}[.|]",
        f"[Which|What] {_COLOR} does the {{card}} have?",
        f"What is the {_COLOR} of the {{card}}?",
        f"The {{card}}: what {_COLOR} is it?",
        f"There is a {{card}}. [What|Which] {_COLOR}?",
        f"{_COLOR} of the {{card}}?",
    ),
    "color_place": (
        f"What {_COLOR} is the {{some}} {{place}}?",
        f"What is the {_COLOR} of the {{some}} {{place}}?",
        f"[Which|What] {_COLOR} does the {{some}} {{place}} have?",
        f"[Tell me|Name] the {_COLOR} of the {{some}} {{place}}[.|]",
        f"The {{some}} {{place}} - what {_COLOR} is it?",
        f"There's a {{some}} {{place}}. [Its {_COLOR}|What {_COLOR} is it]?",
        f"Which {_COLOR} is the {{some}} {{place}}?",
    ),
    "color_size": (
        f"What {_COLOR} is the {{size}} {{some}}{_SEE}?",
        f"What is the {_COLOR} of the {{size}} {{some}}?",
        f"[Which|What] {_COLOR} does the {{size}} {{some}} have?",
        f"The {{size}} {{some}}: what {_COLOR} is it?",
    ),
    "shape_place": (
        "What shape is the {some} {place}?",
        "What is the shape of the {some} {place}?",
        "What shape do you see {place}?",
        "[Tell me|Name] the shape of the {some} {place}[.|]",
        "What shape has the {some} {place} got?",
        "The {some} {place} - what shape is it?",
    ),
    "shape_size": (
        "What shape is the {size} {some}?",
        "What is the shape of the {size} {some}?",
        "[Which|What] shape does the {size} {some} have?",
        "The {size} {some}: [what|which] shape is it?",
    ),
    "count_color": (
        f"How many {{color}} {{things}} {_THERE}?",
        "[Count|Please count] the {color} {things}[.|]",
        f"How many {{things}}{_SEE} are {{color}}?",
        f"How many of the {{things}}{_SEE} are {{color}}?",
        "What is the number of {color} {things}?",
        f"[Tell me|Say] how many {{color}} {{things}}{_SEE} there are[.|]",
        "Number of {color} {things}?",
        "How many {color}?",
        "How many {things} in {color} {there}?",
        f"I need a count of the {{color}} {{things}}{_SEE}[.|]",
        "The {color} {things}: how many [are they|are there]?",
        "{color} {things}: how many?",
        "What's the count of {color} {things}?",
        "How many times do you see a {color} {thing}?",
        "I'd like to know how many {color} {things} there are[.|]",
        f"How many {{color}} {PLURALS} {_THERE}?",
        f"[Count|Please count] the {{color}} {PLURALS}[.| for me.|]",
        f"How many {{color}} {PLURALS}[| are left| are here]?",
        "and the {color} ones, how many of those?",
        f"How many {{things}} of {{color}} {_COLOR}[| are there| do you see]?",
    ),
    "count_shape": (
        f"How many {{shapes}} {_THERE}?",
        "[Count|Please count] the {shapes}[.|]",
        "What is the number of {shapes}?",
        f"How many {{shapes}}{_SEE}?",
        "[Tell me|Say] how many {shapes} there are[.|]",
        f"How many of the {{things}}{_SEE} are {{shapes}}?",
        "Number of {shapes}?",
        "{shapes}: how many?",
        "I need [a count|the number] of the {shapes}[.|]",
        "What's the count of {shapes}?",
        "[Count|Please count|Count up] [every one of |all ]the {shapes}[.|]",
        "How many {shapes} [does the picture have|have been drawn|were drawn here]?",
    ),
    "count_all": (
        f"How many {{things}} {_THERE}?",
        f"How many {{things}} [are there |]in total{_SEE}?",
        f"[Count|Please count] [the|all the|all] {{things}}{_SEE}[.|]",
        "What is the [total |]number of {things}?",
        f"[Tell me|Say] how many {{things}} there are{_SEE}[.|]",
        "How many {things} [altogether|overall]?",
        "[I need|Give me] the number of {things}[.|]",
        "{things}: how many [in all|are there]?",
    ),
    "count_on_all": (
        "How many [{things}|shapes|things|marks] are on the {card}?",
        "[Count|Please count] [the {things}|what lies|everything] on the {card}[.|]",
        "How many {things} does the {card} [show|have|hold|carry]?",
        "On the {card}, how many {things} are there?",
        "What is the number of {things} on the {card}?",
        "[Tell me|Say] how many {things} are on the {card}[.|]",
    ),
    "count_on_color": (
        "How many {color} {things} are on the {card}?",
        "How many [of the |]{things} on the {card} are {color}?",
        "[Count|Please count] the {color} {things} on the {card}[.|]",
        "How many {color} {things} does the {card} [show|have|hold|carry]?",
        "On the {card}, how many {things} are {color}?",
        "What is the number of {color} {things} on the {card}?",
        "[Tell me|Say] how many {color} {things} are on the {card}[.|]",
    ),
    "count_on_shape": (
        "How many {shapes} are on the {card}?",
        "[Count|Please count] the {shapes} on the {card}[.|]",
        "How many {shapes} does the {card} [show|have|hold|carry]?",
        "On the {card}, how many {shapes} [are there|do you see]?",
        "What is the number of {shapes} on the {card}?",
        "[Tell me|Say] how many {shapes} are on the {card}[.|]",
    ),
    "unknown": (  # what no look at the pixels tells
        "Who is [this|the person|that|the man|the woman|the boy|the girl|she|he|in the picture|the artist|the owner|the author]?",
        "What is [his|her|the person's|the man's|the woman's|the child's|the cat's|the dog's|their] name?",
        "Who [made|took|painted|owns|wrote|drew|built|designed|invented] [this|it|the picture|the photo|that]?",
        "What is [he|she|the man|the woman|the cat|the dog|the person] [thinking|doing|looking at|feeling|holding|saying|eating]?",
        "[Is|Was] [he|she|the person|the man|the woman] [happy|sad|angry|tired|famous|married|old|young|rich]?",
        "[When|In which year|What year|What day|At what time] was [this|the picture|the photo|it] [taken|made|painted|built]?",
        "[Where|In which city|In which country|What place] was [this|the picture|the photo] [taken|made|shot]?",
        "How [old|tall|heavy|rich|far away|deep|expensive|hot|fast|long] is [it|he|she|the man|the woman|this|the animal|the building|that]?",
        "What does [it|this] [cost|smell like|taste like|sound like|weigh]?",
        "Why [is|does|did] [he|she|it|the man|the person|this] [smile|smiling|there|look so|happen|important|run|sad|do that]?",
        "What [brand|make|model|breed|species|kind of animal|kind of camera|kind of car|kind of plant|planet|disease] is [it|this|that|shown]?",
        "What will happen next?",
        "What happened [before|after] [this|the photo|that]?",
        "What is the [weather|temperature|price|meaning|history|purpose|mood|story|time of day] [of|in] [this|the picture|it]?",
        "What [emotion|feeling|mood] does [the face|he|she|the person|the picture] show?",
        "Which [hospital|museum|company|country|team|university|school|artist|film|book] does [this|it|he|she] [come from|belong to|work for]?",
        "Is [this|it] [safe|legal|healthy|real|expensive|delicious|art|broken|ripe|dangerous]?",
        "[Do you|Would you] [like|love] [this|it|the picture]?",
        "How [does|would] [it|this] [feel|work|taste|sound|smell]?",
        "[Describe|Explain] [the scene|the picture|what is going on|the meaning of this|how this works][.|]",
        "What [sport|game|song|language|job|religion] [is this|does he play|is she singing|do they speak|does he have]?",
        "How many [people|persons|cats|dogs|birds|cars|trees|houses|stars in the sky] [are there|live here|do you see]?",
        "Is there a [person|cat|dog|car|house|tree|bird|face] in the [picture|photo]?",
        *BEYOND,
    ),
}
OPENINGS = ("", "", "", "", "", "Please: ", "Hey, ", "Question: ", "Look: ", "Hi! ", "Quick one: ")
SHIFT_OPENINGS = ("", "Could you help me? ", "Here is a picture. ", "Ok so ", "For my notes: ")

_GROUP = re.compile(r"\[([^\[\]]*)\]")


def expand(rng: np.random.Generator, template: str, slots: dict[str, str]) -> str:
    """One random expansion of a template with its slots filled (slots may hold alternatives)."""
    text = template
    for _ in range(6):
        text = re.sub(r"\{(\w+)\}", lambda match: slots[match.group(1)], text)
        while match := _GROUP.search(text):
            options = match.group(1).split("|")
            chosen = options[int(rng.integers(len(options)))]
            text = text[: match.start()] + chosen + text[match.end() :]
        if "{" not in text:
            break
    return " ".join(text.split()).replace(" 's ", "'s ")


def _typo(rng: np.random.Generator, text: str) -> str:
    """Two neighbouring letters swapped or one dropped, as fingers do."""
    place = int(rng.integers(1, len(text) - 1))
    if rng.random() < 0.5:
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def ask(
    rng: np.random.Generator,
    kind: str,
    slots: dict[str, str],
    shift: bool = False,
    plain: bool = False,
) -> str:
    """A question of that kind in one of its many wordings, sometimes sloppy; never when `plain`."""
    templates = QUESTIONS.get(kind) or MORE[kind]
    filled = {
        "thing": THING, "things": THINGS, "there": _THERE,
        "some": SOME, "noun": NOUNS, "nouns": PLURALS, **slots,
    }  # fmt: skip
    text = expand(rng, templates[int(rng.integers(len(templates)))], filled)
    if plain:
        return text[0].upper() + text[1:]
    openings = SHIFT_OPENINGS if shift else OPENINGS
    text = openings[int(rng.integers(len(openings)))] + text
    sloppy = rng.random()
    if sloppy < 0.08:
        text = text.lower()
    elif sloppy < 0.14:
        text = text.rstrip("?.")
    elif sloppy < 0.18 and not shift:
        text = " ".join(_typo(rng, text).split())
    return text[0].upper() + text[1:] if sloppy >= 0.08 else text
