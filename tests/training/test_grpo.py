"""What is relied on of TRL's private GRPO code, and that lines are learned as they were played."""

import inspect
import math
import re
from dataclasses import replace

import pytest
import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from pixelis.agent import Budget
from pixelis.errors import ModelError
from pixelis.models.adapter import renamed_attributes
from pixelis.models.load import load_policy
from pixelis.models.policy import Sampling
from pixelis.training.adapters import lora
from pixelis.training.grpo import LineTrainer
from pixelis.training.lines import Weighed, line_of, tensors, unlearned
from pixelis.training.questions import Drawn
from pixelis.training.rollouts import Player


# the contract -------------------------------------------------------------------------------------
def source_of(name):
    return inspect.getsource(getattr(GRPOTrainer, name))


def test_the_step_that_is_replaced_is_asked_and_its_tensors_are_read():
    assert list(inspect.signature(GRPOTrainer._generate_and_score_completions).parameters) == [
        "self",
        "inputs",
    ]
    asked = source_of("_prepare_inputs")
    assert asked.count("self._generate_and_score_completions(generation_batch)") == 2
    for used in ("split_pixel_values_by_grid", "shuffle_sequence_dict", "split_tensor_dict"):
        assert used in asked
    read = set(re.findall(r"inputs(?:\.get\(|\[)\"(\w+)\"", source_of("_compute_loss")))
    given = {
        "prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "tool_mask",
        "advantages", "num_items_in_batch", "old_per_token_logps", "ref_per_token_logps",
        "pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids",
    }  # fmt: skip
    others = {
        "pixel_attention_mask", "spatial_shapes", "num_tiles", "image_sizes", "token_type_ids",
        "image_position_ids", "sampling_per_token_logps", "importance_sampling_ratio",
    }  # fmt: skip
    assert read == given | others, "TRL reads other tensors now: see LineTrainer"


def test_probabilities_are_computed_with_these_arguments():
    found = inspect.signature(GRPOTrainer._get_per_token_logps_and_entropies).parameters
    assert list(found)[:6] == [
        "self", "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size",
    ]  # fmt: skip
    assert {"pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids"} <= set(found)
    assert (
        source_of("_get_per_token_logps_and_entropies")
        .rstrip()
        .endswith("return logps, entropies, aux_loss")
    )


def test_groups_are_centred_by_us_and_reused_by_iterations():
    loss = source_of("_compute_loss")
    assert "mask = completion_mask if" in loss
    assert 'completion_mask * inputs["tool_mask"]' in loss
    assert "old_per_token_logps is None else old_per_token_logps" in loss
    asked = source_of("_prepare_inputs")
    assert "generate_every = self.args.steps_per_generation * self.num_iterations" in asked


# learning -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def policy():
    return load_policy("nano", device="cpu")


@pytest.fixture(scope="module")
def lines(policy):
    """Four episodes about one question, sampled."""
    budget = Budget(steps=5, seconds=3600)
    player = Player(policy.processor, policy.profile, budget, Sampling(1.3))
    (question,) = Drawn(4, ("attribute_recognition",)).at(0, 1)
    (group,) = player.play(policy.model, [question], 4, 0)
    assert not any(rollout.episode.ended == "failed" for rollout in group.rollouts)
    made = [line_of(rollout, policy.processor) for rollout in group.rollouts]
    assert max(len(line.images) for line in made) > 1, "observations brought images"
    return made


def trainer(tmp_path, source, model=None, adapters=False, **changes):
    own = load_policy("nano", device="cpu")
    settings = {
        "max_steps": 1,
        "per_device_train_batch_size": 4,
        "num_generations": 4,
        "learning_rate": 1e-4,
        "temperature": 1.3,
        "lr_scheduler_type": "constant",
    }
    args = GRPOConfig(
        output_dir=str(tmp_path), use_cpu=True, bf16=False, activation_checkpointing=False,
        report_to="none", save_strategy="no", logging_steps=1, disable_tqdm=True,
        dataloader_pin_memory=False, **{**settings, **changes},
    )  # fmt: skip
    with renamed_attributes():
        return LineTrainer(
            source=source,
            model=own.model,
            args=args,
            train_dataset=Dataset.from_dict({"prompt": ["-"] * 4}),
            processing_class=own.processor,
            peft_config=lora(own.model, 4) if adapters else None,
        )


def weighed(lines, values=(1.0, -1.0, 0.5, -0.5)):
    return [Weighed(line, value) for line, value in zip(lines, values, strict=True)]


def chances(made, lines):
    """Log probability of each line's learned tokens under the trainer's model as it is."""
    batch = tensors(weighed(lines), made.processing_class)
    with torch.no_grad():
        logprobs = made._logprobs(made.model.eval(), batch)
    mask = batch["tool_mask"] * batch["completion_mask"]
    return (logprobs * mask).sum(1), logprobs, batch


def test_the_loss_sees_the_probabilities_that_tokens_were_chosen_with(lines, tmp_path):
    """Order of images, positions, masks and temperature: were one of them off, this would fail."""
    made = trainer(tmp_path, lambda step: weighed(lines))
    _, logprobs, batch = chances(made, lines)
    learned = batch["tool_mask"].bool()
    missed = (logprobs - batch["chosen_logprobs"])[learned].abs()
    assert float(missed.max()) < 2e-2  # tokens that must not be written still have some chance
    assert float(missed.mean()) < 5e-4
    assert float(logprobs[learned].min()) < -0.05, "some tokens were no foregone conclusion"


@pytest.mark.parametrize("adapters", [False, True])
def test_what_was_rewarded_becomes_likelier(lines, tmp_path, adapters):
    rate = 2e-3 if adapters else 1e-4
    made = trainer(
        tmp_path, lambda step: weighed(lines, (1.0, 1.0, -1.0, -1.0)),
        adapters=adapters, max_steps=3, learning_rate=rate,
    )  # fmt: skip
    before, _, _ = chances(made, lines)
    made.train()
    after, _, _ = chances(made, lines)
    gain = after - before
    assert float(gain[:2].sum() - gain[2:].sum()) > 0.05


def test_nothing_is_learned_from_an_even_group(lines, tmp_path):
    made = trainer(tmp_path, lambda step: weighed(lines, (0.0,) * 4), max_steps=1)
    kept = {name: value.clone() for name, value in made.model.state_dict().items()}
    made.train()
    now = made.model.state_dict()
    assert all(torch.equal(value, now[name]) for name, value in kept.items())


def test_replayed_lines_keep_the_probabilities_of_their_time(lines, tmp_path):
    older = [Weighed(line, 1.0, replayed=k == 1) for k, line in enumerate(lines)]
    made = trainer(tmp_path, lambda step: older)
    batch = made._generate_and_score_completions([{}])
    _, now, other = chances(made, lines)
    old = batch["old_per_token_logps"]
    torch.testing.assert_close(old[[0, 2, 3]], now[[0, 2, 3]], atol=1e-4, rtol=1e-4)
    assert torch.equal(old[1], other["chosen_logprobs"][1])
    fresh = trainer(tmp_path, lambda step: weighed(lines))
    assert "old_per_token_logps" not in fresh._generate_and_score_completions([{}])


@pytest.mark.parametrize("adapters", [False, True])
def test_the_reference_is_the_model_before_training(lines, tmp_path, adapters):
    made = trainer(tmp_path, lambda step: weighed(lines), adapters=adapters, beta=0.1)
    before, logprobs, _ = chances(made, lines)
    batch = made._generate_and_score_completions([{}])
    torch.testing.assert_close(batch["ref_per_token_logps"], logprobs, atol=1e-3, rtol=1e-3)
    made.train()
    again = made._generate_and_score_completions([{}])
    torch.testing.assert_close(again["ref_per_token_logps"], logprobs, atol=1e-3, rtol=1e-3)
    assert any("kl" in row for row in made.state.log_history)
    assert not torch.equal(chances(made, lines)[0], before) or adapters


def test_a_batch_of_another_size_is_an_error(lines, tmp_path):
    made = trainer(tmp_path, lambda step: weighed(lines)[:3])
    with pytest.raises(ModelError, match="3 lines for a batch of 4"):
        made.train()


def dapo(lines, logprobs, references, beta, low=0.2, high=0.28):
    """The loss by hand, in float64 and token by token: the clipped surrogate with its ratio to the
    probabilities that a replayed line was chosen with (1 for a fresh one), the k3 estimate of the
    KL, and the mean over all learned tokens (DAPO, arXiv 2503.14476, equation 8)."""
    total, count = 0.0, 0
    for row, (line, gain, replayed) in enumerate(lines):
        rest = line.written[line.start :]
        chosen = iter(line.logprobs)
        for place, written in enumerate(rest):
            if not written:
                continue
            new, old = float(logprobs[row, place]), next(chosen)
            ratio = math.exp(new - old) if replayed else 1.0
            gap = float(references[row, place]) - new
            total -= min(gain * ratio, gain * min(max(ratio, 1 - low), 1 + high))
            total += beta * (math.exp(gap) - gap - 1)
            count += 1
    return total / count


def shifted(lines, values, shifts, replayed):
    made = []
    for line, value, shift, older in zip(lines, values, shifts, replayed, strict=True):
        moved = replace(line, logprobs=tuple(one + shift for one in line.logprobs))
        made.append(Weighed(moved, value, older))
    return made


@pytest.mark.parametrize("passes", [1, 2])
def test_the_loss_is_the_formula(lines, tmp_path, passes):
    """Clipped and not, both signs, fresh and replayed, one of them with nothing to learn."""
    batch = [
        *shifted(lines[:3], (2.0, 1.5, -1.0), (0.6, -0.6, 0.6), (True, True, True)),
        *shifted(lines[3:], (-1.0,), (0.4,), (False,)),
        *shifted(lines[:2], (1.0, -2.0), (0.1, -0.6), (True, True)),
        Weighed(lines[2], 0.5),
        unlearned(lines[1]),
    ]
    settings = {"beta": 0.3, "epsilon": 0.2, "epsilon_high": 0.28, "loss_type": "dapo",
                "per_device_train_batch_size": 8 // passes,
                "gradient_accumulation_steps": passes, "num_generations": 8 // passes}  # fmt: skip
    made = trainer(tmp_path, lambda step: batch, **settings)
    with torch.no_grad():
        logprobs = made._logprobs(made.model, tensors(batch, made.processing_class))
    reference = trainer(tmp_path, lambda step: batch, **settings).ref_model
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.mul_(1.002)
        made.ref_model = made.accelerator.prepare_model(reference, evaluation_mode=True)
        references = made._logprobs(made.ref_model, tensors(batch, made.processing_class))
    made.train()
    wanted = dapo(batch, logprobs.double(), references.double(), 0.3)
    assert abs(wanted) > 0.01
    assert made.state.log_history[0]["loss"] == pytest.approx(wanted, abs=2e-3)


def test_only_what_the_model_chose_gets_a_gradient(lines, tmp_path):
    batch = [*weighed(lines)[:3], unlearned(lines[3])]
    made = trainer(tmp_path, lambda step: batch)
    kept = []

    def keep(module, given, output):  # TRL never makes all logits at once
        if output.log_probs.requires_grad:
            output.log_probs.retain_grad()
            kept.append(output.log_probs)

    hook = made.model.register_forward_hook(keep)
    made.train()
    hook.remove()
    (logprobs,) = kept
    found = sorted(int(row.sum()) for row in logprobs.grad != 0)  # TRL shuffles rows
    wanted = sorted(sum(one.line.written) for one in batch)
    assert found == wanted
    assert wanted[0] == 0, "a line that holds a place"
    assert wanted[-1] < logprobs.shape[1] / 2, "most of a row is not the model's"


def test_a_batch_in_which_nothing_is_learned_leaves_finite_weights(lines, tmp_path):
    made = trainer(tmp_path, lambda step: [unlearned(line) for line in lines], beta=0.1)
    kept = {name: value.clone() for name, value in made.model.state_dict().items()}
    made.train()
    now = made.model.state_dict()
    assert all(torch.equal(value, now[name]) for name, value in kept.items())
