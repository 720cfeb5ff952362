from types import SimpleNamespace

import pytest

from pixelis.errors import ConfigError
from pixelis.training.course import Notes, arguments, build, learning_rate
from pixelis.training.rft import episodes_of, prepare
from pixelis.training.settings import RftConfig

SMALL = {
    "families": ["attribute_recognition"], "device": "cpu", "threads": 1, "precision": "fp32",
    "questions": 3, "group": 4, "batch": 6, "steps": 10, "eval_every": 0, "sample_every": 0,
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    return prepare(RftConfig(out=tmp_path, **SMALL))


def test_trl_is_told_what_the_settings_say(run):
    made = arguments(run)
    assert made.generation_batch_size == 12
    assert made.steps_per_generation == made.gradient_accumulation_steps == 2
    assert (made.num_generations, made.num_iterations, made.max_steps) == (4, 1, 10)
    assert made.scale_rewards == "none"
    assert (made.epsilon, made.epsilon_high, made.beta) == (0.2, 0.28, 0.0)
    assert made.report_to == []
    assert made.use_cpu
    assert not made.bf16
    assert learning_rate(run) == made.learning_rate == 5e-6
    assert episodes_of(run) == 120


def test_groups_are_learned_several_times_when_asked(tmp_path):
    settings = {**SMALL, "iterations": 2, "save_every": 10}
    run = prepare(RftConfig(out=tmp_path, **settings))
    assert arguments(run).num_iterations == 2
    assert episodes_of(run) == 60
    trainer = build(run, lambda row: None)
    assert trainer._drifts()


def test_ranks_need_adapters(run, tmp_path):
    run.config = run.config.model_copy(update={"ranks": tmp_path / "ranks.json"})
    with pytest.raises(ConfigError, match="ranks belongs to method lora"):
        build(run, lambda row: None)


@pytest.mark.parametrize(("replayed", "told"), [(0.0, False), (0.5, True)])
def test_means_over_learned_tokens_are_not_told_where_nothing_was_learned(replayed, told):
    """TRL takes a mean over a token that is not learned then; as a figure it means nothing."""
    rows = []
    run = SimpleNamespace(notes={"even_groups": 1.0, "replayed_groups": replayed})
    state = SimpleNamespace(is_world_process_zero=True, global_step=1)
    logs = {"loss": 0.0, "entropy": 2.8, "kl": 0.1, "grad_norm": 0.0}
    Notes(run, rows.append).on_log(None, state, None, logs)
    assert ("entropy" in rows[0]) == ("kl" in rows[0]) == told
    assert rows[0]["loss"] == rows[0]["norm"] == 0.0


def test_no_question_is_left_out_when_groups_are_learned_twice(tmp_path):
    made = prepare(RftConfig(out=tmp_path, **{**SMALL, "iterations": 2}))
    asked = []

    class Asked:
        def at(self, step, count):
            asked.append(step)
            raise LookupError

    made.questions = Asked()
    for step in (0, 2, 4):  # TRL asks for new lines with every second step
        with pytest.raises(LookupError):
            made.lines(None, step)
    assert asked == [0, 1, 2]
