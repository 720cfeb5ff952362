import pytest
from PIL import Image

from pixelis.data.tasks import FAMILIES
from pixelis.errors import ConfigError
from pixelis.media import Picture, Video
from pixelis.training.questions import Drawn
from pixelis.training.rft import ask
from pixelis.training.settings import RftConfig

EASY = ["attribute_recognition"]


def test_questions_of_files(episodes, tmp_path):
    settings = RftConfig(data=[episodes], out=tmp_path, held_out=2)
    questions, asked = ask(settings)
    assert len(asked) == 2
    first, second = questions.at(0, 3), questions.at(1, 3)
    assert [one.id for one in questions.at(0, 3)] == [one.id for one in first]
    assert not {one.id for one in first} & {one.id for one in second}
    assert not {one.id for one in asked} & {one.id for one in [*first, *second]}
    assert first[0].gold.answers
    with first[0].open() as media:
        assert media.size.width > 0
    with pytest.raises(ConfigError, match="no question in data"):
        ask(settings.model_copy(update={"families": ["temporal_tracking"]}))


def test_drawn_questions_never_repeat(tmp_path):
    questions, asked = ask(RftConfig(out=tmp_path, families=EASY, eval_every=1, held_out=4))
    drawn = [one.id for step in range(3) for one in questions.at(step, 4)]
    assert len(set(drawn)) == 12
    assert not {one.text for one in asked} >= {one.text for one in questions.at(0, 4)}
    everything, _ = ask(RftConfig(out=tmp_path, eval_every=0))
    assert everything.families == FAMILIES


def test_a_question_opens_its_media():
    (still,) = Drawn(5, ("attribute_recognition",)).at(0, 1)
    with still.open() as picture, still.open() as again:
        assert isinstance(picture, Picture)
        assert isinstance(picture.image, Image.Image)
        assert picture.sha256 == again.sha256
    (clip,) = Drawn(5, ("temporal_tracking",)).at(0, 1)
    with clip.open() as video:
        assert isinstance(video, Video)
        assert video.frames > 1
