import math
from dataclasses import replace

import pytest
import torch
from PIL import Image

from pixelis.agent import Rollout
from pixelis.agent.loop import describe
from pixelis.episode import Episode
from pixelis.errors import CheckpointError, ModelError
from pixelis.media import open_media
from pixelis.models.load import load_policy
from pixelis.models.policy import Turn
from pixelis.training.lines import Weighed, line_of, read_lines, tensors, unlearned, write_lines


@pytest.fixture(scope="module")
def processor():
    return load_policy("nano", device="cpu").processor


def rollout(processor, *answers, images=1, cut=False):
    """A conversation with one image a question and turns whose tokens are known."""
    media = open_media(Image.new("RGB", (256, 256), "red"))
    messages, turns = [{"role": "system", "content": "Look."}], []
    for number, text in enumerate(answers):
        parts = [{"type": "image"}] if number < images else []
        messages.append({"role": "user", "content": [*parts, {"type": "text", "text": "what?"}]})
        ids = tuple(processor.tokenizer(text, add_special_tokens=False)["input_ids"])
        closing = processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
        ids = ids if cut else (*ids, closing)
        logprobs = tuple(-0.1 * (k + 1) for k in range(len(ids)))
        turns.append(Turn(text, ids, logprobs, 0.9, "length" if cut else "stop"))
        messages.append({"role": "assistant", "content": text, "token_ids": ids})
    shown = tuple(Image.new("RGB", (256, 256), "red") for _ in range(min(images, len(answers))))
    return Rollout(Episode("what?", describe(media), id="e"), messages, shown, tuple(turns))


def test_learned_are_the_very_tokens_the_model_wrote(processor):
    played = rollout(processor, "a red box", "red")
    line = line_of(played, processor)
    wrote = [t for turn in played.turns for t in turn.token_ids]
    learned = [token for token, mask in zip(line.ids, line.written, strict=True) if mask]
    assert learned == wrote
    assert line.logprobs == tuple(p for turn in played.turns for p in turn.logprobs)
    assert line.written[line.start]
    assert not any(line.written[: line.start])
    image = processor.image_token_id
    assert line.ids.count(image) == 64  # 256 x 256 px, 32 px a token


def test_a_closing_token_the_model_did_not_write_is_not_learned(processor):
    line = line_of(rollout(processor, "a red box", cut=True), processor)
    assert sum(line.written) == len(line.logprobs)
    closing = processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    places = [k for k, token in enumerate(line.ids) if token == closing and k > line.start]
    assert places
    assert not any(line.written[k] for k in places)


def test_a_turn_told_anew_is_not_learned(processor):
    played = rollout(processor, "a red box", "red")
    del played.messages[2]["token_ids"]
    line = line_of(played, processor)
    assert len(line.logprobs) == sum(line.written) == len(played.turns[1].token_ids)


def test_what_does_not_match_is_an_error(processor):
    played = rollout(processor, "red", "blue", images=2)
    with pytest.raises(ModelError, match="2 image placeholders and 1 images"):
        line_of(replace(played, images=played.images[:1]), processor)
    short = replace(played.turns[0], logprobs=(-0.1,))
    with pytest.raises(ModelError, match="tokens are learned"):
        line_of(replace(played, turns=(short, played.turns[1])), processor)
    failed = replace(played, messages=[])
    with pytest.raises(ModelError, match="episode e failed"):
        line_of(failed, processor)
    line = line_of(played, processor)
    fewer = replace(line, images=line.images[:1])
    with pytest.raises(ModelError, match="image tokens"):
        tensors([Weighed(fewer, 1.0)], processor)


def test_tensors_hold_every_line_once(processor):
    lines = [
        line_of(rollout(processor, "a red box with a sign", "red"), processor),
        line_of(rollout(processor, "red", "a", "blue box", images=3), processor),
    ]
    batch = tensors([Weighed(lines[0], 0.5), Weighed(lines[1], -0.5, True)], processor)
    for row, line in enumerate(lines):
        prompt = batch["prompt_ids"][row][batch["prompt_mask"][row].bool()].tolist()
        rest = batch["completion_ids"][row][batch["completion_mask"][row].bool()].tolist()
        assert tuple(prompt + rest) == line.ids
        mask = batch["tool_mask"][row].bool()
        assert tuple(batch["completion_ids"][row][mask].tolist()) == tuple(
            token for token, one in zip(line.ids, line.written, strict=True) if one
        )
        assert batch["chosen_logprobs"][row][mask].tolist() == pytest.approx(line.logprobs)
    assert batch["prompt_mask"][:, -1].tolist() == [1, 1]  # padded on the left
    assert batch["num_images"] == [1, 3]
    assert batch["advantages"].tolist() == [0.5, -0.5]
    assert batch["replayed"].tolist() == [False, True]
    assert batch["image_grid_thw"].shape == (4, 3)
    assert int(batch["mm_token_type_ids"].sum()) == 4 * 64


def test_an_unlearned_line_fills_a_place(processor):
    line = line_of(rollout(processor, "red"), processor)
    batch = tensors([unlearned(line), Weighed(line, 1.0)], processor)
    assert batch["tool_mask"].sum(1).tolist() == [0, sum(line.written)]
    assert batch["advantages"].tolist() == [0.0, 1.0]


def test_lines_go_through_files(processor, tmp_path):
    line = line_of(rollout(processor, "red", "blue", images=2), processor)
    write_lines(tmp_path, "kept", [[Weighed(line, 0.25), Weighed(line, -0.25)]])
    ((first, second),) = read_lines(tmp_path, "kept")
    assert (first.advantage, second.advantage) == (0.25, -0.25)
    assert first.replayed
    assert first.line.ids == line.ids
    assert first.line.written == line.written
    assert first.line.logprobs == line.logprobs
    assert [i.tobytes() for i in first.line.images] == [i.tobytes() for i in line.images]
    same = tensors([Weighed(line, 0.25)], processor), tensors([first], processor)
    assert torch.equal(same[0]["pixel_values"], same[1]["pixel_values"])
    (tmp_path / "kept.json").write_text("[[[[1], [1], [], [], 0.0]]]")
    with pytest.raises(CheckpointError, match="differ in number"):
        read_lines(tmp_path, "kept")
    assert math.isfinite(first.advantage)
