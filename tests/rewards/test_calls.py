from pixelis.episode import Call, Observation
from pixelis.geometry import Box
from pixelis.rewards import found, looks, telling, used


def test_what_a_call_found(build):
    episode = build().zoom(0, 0, 50, 50).nothing(5, 5).fail().malformed().answer()
    assert [found(look.seen) for look in looks(episode)] == [True, False, False, False]
    assert [look.call is None for look in looks(episode)] == [False, False, False, True]
    assert used(episode)
    assert not used(build().nothing(5, 5).fail().malformed().answer())
    assert not used(build().answer())


def test_the_same_again_tells_nothing(build):
    episode = build().zoom(0, 0, 50, 50).zoom(0, 0, 50, 50).zoom(1, 0, 51, 50).answer()
    assert telling(episode) == [True, False, False]


def test_another_question_at_the_same_place_is_another_call(build):
    box = (10, 10, 60, 60)
    one = build().segment(30, 30, *box)
    one.properties("mask_1", *box, wanted=["color"]).properties("mask_1", *box, wanted=["size"])
    assert telling(one.answer()) == [True, True, True]


def test_the_whole_picture_once_more_tells_nothing(build):
    assert telling(build().zoom(0, 0, 400, 300).answer()) == [False]
    assert telling(build().zoom(0, 0, 380, 290).answer()) == [False]
    assert telling(build().zoom(0, 0, 200, 300).answer()) == [True]
    assert telling(build().read(0, 0, 400, 300).answer()) == [True]  # words are new
    assert telling(build("video").zoom(0, 0, 400, 300).answer()) == [True]  # another frame


def test_a_failed_call_has_no_region(build):
    seen = Observation("bad", error="bad", box=Box(0, 0, 9, 9))
    episode = build().step(Call("zoom_in", {}), seen).answer()
    assert looks(episode)[0].region is None
