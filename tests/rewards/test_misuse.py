import pytest

from pixelis.rewards import misuse


def test_nothing_is_misused(build):
    assert misuse(build().answer()) == 0.0
    assert misuse(build().zoom(0, 0, 9, 9).nothing(3, 3).answer()) == 0.0


@pytest.mark.parametrize(
    ("op", "arguments", "cost"),
    [
        ("track_object", {"start_frame": 0, "end_frame": 5}, 0.5),
        ("select_frames", {}, 0.5),
        ("get_properties", {}, 0.5),
        ("get_properties", {"mask": "mask_4"}, 0.25),
        ("zoom_in", {"bbox_2d": [0, 0, 5000, 5000]}, 0.25),
    ],
)
def test_what_failed_costs(build, op, arguments, cost):
    assert misuse(build().fail(op, **arguments).answer()) == cost


def test_videos_may_be_tracked(build):
    assert misuse(build("video").fail("track_object").answer()) == 0.25


def test_running_out_of_room(build):
    assert misuse(build().end("loop")) == 0.5
    assert misuse(build().malformed().end("steps")) == 0.75
    assert misuse(build().end("failed")) == 0.0  # the machine's fault


def test_it_never_pays_and_is_bounded(build):
    one = build()
    before = 0.0
    for _ in range(9):
        now = misuse(one.fail().answer())
        assert before <= now <= 1.0
        before = now
    assert before == 1.0
