import pytest
import torch

from pixelis.agent import Budget
from pixelis.data.episodes import sample_of
from pixelis.data.readers.row import Row
from pixelis.episode import Answer, Episode, Media
from pixelis.geometry import Size
from pixelis.models.load import load_policy
from pixelis.training.examine import Examiner, Marks, answering
from pixelis.training.material import read

MEDIA = Media("picture", "a.png", Size(64, 64), "a")


def sample(tmp_path, gold):
    value = {"episode": Episode("What colour?", MEDIA).to_dict(), "gold": gold}
    return sample_of(Row(value, tmp_path / "e.jsonl", "line 1"))


def answered(text, known=True):
    return Episode("What colour?", MEDIA, answer=Answer(text, text, known=known))


def test_right_is_what_the_scorer_says(tmp_path):
    assert sample(tmp_path, "red").is_right(answered("It is red.").answer)
    assert not sample(tmp_path, "red").is_right(answered("blue").answer)
    assert not sample(tmp_path, "red").is_right(answered("red", known=False).answer)
    assert not sample(tmp_path, "red").is_right(None)
    assert sample(tmp_path, ["crimson", "red"]).is_right(answered("red").answer)


def test_where_nobody_can_know_only_saying_so_is_right(tmp_path):
    assert sample(tmp_path, "").is_right(answered("I can't see that", known=False).answer)
    assert not sample(tmp_path, "").is_right(answered("red").answer)


def test_marks():
    values = Marks(4, 3, 8, 2).values()
    assert values == {"held_out": 0.75, "held_out_asked": 4, "calls": 2, "failed_calls": 0.25}
    assert Marks(0, 0, 0, 0).accuracy == 0


@pytest.fixture(scope="module")
def examiner(episodes):
    policy = load_policy("nano", device="cpu")
    samples = read([episodes])
    return policy, Examiner(samples[:4], policy.processor, policy.profile, Budget(steps=6))


def test_the_model_really_answers(examiner, tmp_path):
    policy, examiner = examiner
    marks, played = examiner.ask(policy.model)
    assert marks.asked == len(played) == 4
    assert marks.right == sum(
        one.is_right(episode.answer) for one, episode in zip(examiner.samples, played, strict=True)
    )
    assert marks.calls == sum(len(episode.observations) for episode in played)
    again, _ = examiner.ask(policy.model)
    assert again == marks
    parts = [examiner.part(rank, 2).ask(policy.model)[0] for rank in range(2)]
    assert [sum(values) for values in zip(*parts, strict=True)] == list(marks)
    (page,) = examiner.show(policy.model, tmp_path / "samples", 100, count=1)
    text = page.read_text()
    assert page.name == "step-000100-0.html"
    assert "<svg" in text
    assert examiner.samples[0].episode.question.split()[0] in text


def test_training_goes_on_as_if_nothing_had_been_asked(examiner):
    policy, examiner = examiner
    model = policy.model
    model.train()
    kept = model.generation_config
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    with answering(model, policy.processor, policy.profile) as asked:
        assert not asked.model.training
        torch.rand(7)
    assert torch.equal(torch.rand(3), expected)
    assert model.training
    assert model.generation_config is kept
    model.eval()
