"""The words stories are made of: classes of things to say, each thing with its synonyms.

A class is a tuple of groups, a group a tuple of wordings that mean the same here. One group in
`HELD_OUT` of every class never occurs in training.
"""

from __future__ import annotations

HELD_OUT = 11  # one group in eleven is kept for the split of unseen words

Group = tuple[str, ...]


def _groups(text: str) -> tuple[Group, ...]:
    """`a/b, c` -> (("a", "b"), ("c",)); the commas of the source may end a line."""
    found = (part.strip() for part in text.replace("\n", " ").split(","))
    return tuple(tuple(word.strip() for word in part.split("/")) for part in found if part)


LEXICON: dict[str, tuple[Group, ...]] = {
    "name": _groups(
        """Tom, Anna, Ben, Lily, Max, Mia, Sam, Ella, Leo, Ruth, Jack, Nora, Paul, Rosa, Omar,
        Ivy, Finn, Clara, Hugo, Zoe, Noah, Greta, Felix, Sara, Oscar, Nina, Karl, Emma, Victor,
        Alma, Peter, Jane, Simon, Daisy, Boris, Lucy, Adam, Wendy, Martin, Olga"""
    ),
    "role": _groups(
        """teacher/schoolmaster, doctor/physician, farmer/grower, sailor/seaman, baker,
        policeman/officer, king/ruler, thief/robber, gardener, painter/artist, cook/chef,
        lawyer/attorney, driver/chauffeur, singer/vocalist, hunter, tailor, miner, nurse, pilot,
        wizard/magician, soldier/fighter, clerk, actor/performer, student/pupil, writer/author,
        builder/mason, fisherman/angler, traveller/wanderer, guard/watchman, boy/lad,
        girl/lass, grandfather/grandpa, grandmother/granny, neighbour, friend/pal, stranger"""
    ),
    "animal": _groups(
        """dog/hound, cat/kitten, rabbit/bunny, bear, fox, pig/hog, horse/pony, duck, frog/toad,
        mouse, owl, donkey/mule, goat, sheep/lamb, cow, chicken/hen, goose, parrot, monkey/ape,
        tiger, lion, elephant, camel, snake/serpent, turtle/tortoise, squirrel, hedgehog, wolf,
        deer/stag, crow/raven, swan, bee, spider, whale, dolphin, penguin"""
    ),
    "adj": _groups(
        """big/large/huge, small/little/tiny, happy/glad/cheerful, sad/unhappy/gloomy,
        fast/quick/swift, old/ancient/aged, pretty/beautiful/lovely, clever/smart/bright,
        angry/cross/furious, scared/afraid/frightened, brave/bold/fearless, quiet/silent,
        loud/noisy, strange/odd/weird, rich/wealthy, tired/sleepy/weary, kind/friendly/gentle,
        soft/fluffy, shiny/gleaming/sparkling, dirty/muddy/grubby, clean/spotless,
        broken/cracked, funny/silly/comical, warm/cosy, cold/chilly/icy, hungry/starving,
        strong/sturdy, thin/slim/slender, wide/broad, famous/renowned, lazy/idle, proud/vain,
        lonely/solitary, curious/nosy, wooden, golden, magic/enchanted, secret/hidden,
        polite/courteous, clumsy/awkward, wet/soaked, dry"""
    ),
    "color": _groups(
        "red/scarlet, blue/azure, green, yellow, black, white, brown, grey, orange, pink, "
        "purple/violet, silver, turquoise"
    ),
    "object": _groups(
        """boat/ship, stone/rock/pebble, gift/present, coat/jacket, cup/mug, box/crate/chest,
        bag/sack, hat/cap, book/volume, lamp/lantern, rug/carpet, sofa/couch, bike/bicycle,
        car/automobile, ball, kite, drum, key, rope/cord, ladder, mirror, basket/hamper,
        bucket/pail, bell, clock/timepiece, candle, chair/stool, blanket/quilt, map/chart,
        picture/painting, photo/snapshot, toy/plaything, cake/pie, biscuit/cookie, bread/loaf,
        candy/sweet, letter/note, coin/penny, ring, crown/tiara, sword/blade, boot/shoe, sock,
        umbrella/parasol, violin/fiddle, doll/puppet, truck/lorry, plane/airplane, spoon,
        plate/dish, bottle/flask, jar/pot, hammer/mallet, saw, needle, scarf/shawl, glove/mitten,
        flag/banner, trumpet/horn, telescope/spyglass, feather/plume, shell, pumpkin, melon"""
    ),
    "place": _groups(
        """forest/woods, sea/ocean, hill/mound, mountain/peak, village/hamlet, town/city,
        shop/store, cottage/cabin, garden/yard, street/road/lane, river/stream/brook, lake/pond,
        beach/shore, meadow/field/pasture, cave/cavern, castle/fortress, school/academy,
        market/bazaar, park, bridge/viaduct, barn/stable, kitchen, attic/loft, cellar/basement,
        harbour/port/dock, station/depot, library, church/chapel, museum, island/isle,
        farm/ranch, tower/turret, desert, swamp/marsh, jungle/rainforest, bakery, workshop,
        hospital/clinic, tent, airport, theatre/playhouse, prison/jail, temple/shrine, mill"""
    ),
    "verb": _groups(
        """found/discovered, bought/purchased, lost/misplaced, hid/concealed, carried/hauled,
        fixed/repaired/mended, broke/smashed, painted/decorated, threw/tossed/flung,
        took/grabbed/seized, dropped, washed/scrubbed, built/constructed, stole/pinched,
        saw/noticed/spotted, wrapped/packed, buried/entombed, borrowed, sold/traded,
        drew/sketched, pulled/dragged/tugged, pushed/shoved, kicked, admired/praised,
        opened, closed/shut, kept/preserved, wanted/desired, showed/displayed, burned/scorched,
        copied/duplicated, weighed, measured, returned, guarded/protected, polished/buffed"""
    ),
    "near": _groups(
        "near/close to, behind/in back of, inside/within, beside/next to, in front of, "
        "far from, on the way to, above/over, below/under"
    ),
    "time": _groups(
        """at dawn/at daybreak, at night/after dark, yesterday, last week, on Monday, on Tuesday,
        on Wednesday, on Thursday, on Friday, on Saturday, on Sunday, in spring, in summer,
        in autumn/in the fall, in winter, long ago/ages ago, at noon/at midday, before lunch,
        after school, one rainy day, one sunny day, in March, in July, in October, last year,
        during the storm/during the tempest, after dinner/after supper, before breakfast,
        this morning, during the holidays/during the vacation, two days ago, at midnight"""
    ),
    "feeling": _groups(
        """laughed/giggled, cried/wept, smiled/grinned, sang a song, jumped for joy,
        fell asleep/dozed off, ran away/fled, went home/headed home, felt proud, felt ashamed,
        said sorry/apologised, said thank you, shouted/yelled, told everyone, kept it secret,
        danced/twirled, had an idea, went to bed, ate some soup, waited for hours,
        started to whistle, wrote it down/noted it, sat down, became friends"""
    ),
    "count": _groups("two, three, four, five, six, seven, eight, nine, ten, twelve, twenty"),
}


def held_out(kind: str, group: int) -> bool:
    """Whether a group of a class is kept out of training (never for the few words of `near`)."""
    return kind != "near" and group % HELD_OUT == HELD_OUT - 4


def train_words() -> list[str]:
    """Every single word that training texts may hold, in order of the lexicon."""
    found: dict[str, None] = {}
    for kind, groups in LEXICON.items():
        for number, group in enumerate(groups):
            if not held_out(kind, number):
                found |= dict.fromkeys(word for wording in group for word in wording.split())
    return list(found)
