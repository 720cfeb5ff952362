import pytest

from pixelis.errors import ConfigError
from pixelis.training.course import arguments, build, learning_rate
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
