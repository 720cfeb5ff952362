import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor, Qwen3VLForConditionalGeneration

from pixelis.errors import ModelError
from pixelis.models.processor import PixelProcessor
from pixelis.models.resize import fit_image
from pixelis.models.rows import IGNORED
from pixelis.models.template import TEMPLATE, render
from pixelis.ops.workspace import PixelBudget

IMAGE = {"type": "image"}


def noise(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def user(text, images=1):
    return {"role": "user", "content": [IMAGE] * images + [{"type": "text", "text": text}]}


def dialogue(turns=2):
    told = [{"role": "system", "content": "S"}, user("What colour is the sign?")]
    for number in range(turns):
        told.append({"role": "assistant", "content": f"<think>look {number}</think>\nzoom"})
        told.append({"role": "tool", "content": [{"type": "text", "text": "blue é"}, IMAGE]})
    return [*told, {"role": "assistant", "content": "red [crop_1]"}]


PICTURES = [noise(200, 90), noise(64, 64, 1), noise(33, 500, 2)]


def test_image_tokens_match_the_pixels(processor):
    batch = processor.encode([dialogue(), [user("q")]], [PICTURES, [PICTURES[2]]])
    wide = (batch.image_grid_thw.prod(-1) // 4).tolist()
    assert (batch.input_ids == processor.image_token_id).sum(1).tolist() == [sum(wide[:3]), wide[3]]
    assert batch.pixel_values.shape == (sum(wide) * 4, 3 * 16 * 16)
    assert batch.mm_token_type_ids.sum() == sum(wide)


def test_tokens_spell_the_conversation(processor, tokenizer):
    batch = processor.encode([dialogue()], [PICTURES])
    ids = batch.input_ids[0]
    spelled = tokenizer.decode(ids[ids != processor.image_token_id])
    assert spelled == render(dialogue()).replace("<|image_pad|>", "")


def test_written_tokens_are_the_turns_with_their_closing_token(processor, tokenizer):
    batch = processor.encode([dialogue()], [PICTURES])
    spelled = tokenizer.decode(batch.input_ids[0][batch.written[0]])
    assert spelled == (
        "<think>look 0</think>\nzoom<|im_end|><think>look 1</think>\nzoom<|im_end|>"
        "red [crop_1]<|im_end|>"
    )
    labels = batch.labels()
    assert (labels != IGNORED).sum() == batch.written.sum()
    assert torch.equal(labels[batch.written], batch.input_ids[batch.written])


def test_padding_goes_where_it_is_wanted(processor):
    short, long = [user("q")], [user("a much longer question than the other")]
    pictures = [[PICTURES[1]], [PICTURES[1]]]
    right = processor.encode([short, long], pictures)
    left = processor.encode([short, long], pictures, side="left")
    gap = int(right.input_ids.shape[1] - right.attention_mask[0].sum())
    assert gap > 0
    assert right.attention_mask[0, -gap:].sum() == left.attention_mask[0, :gap].sum() == 0
    assert torch.equal(right.input_ids[0, :-gap], left.input_ids[0, gap:])
    assert torch.equal(right.input_ids[1], left.input_ids[1])
    assert not left.written.any()


def test_a_longer_conversation_keeps_the_tokens_of_the_shorter(processor):
    told = dialogue(3)
    pictures = [*PICTURES, noise(70, 70, 3)]
    whole = processor.encode([told], [pictures]).input_ids[0]
    for turn in (2, 4, 6):
        prompt = processor.encode([told[:turn]], [pictures[: turn // 2]], prompt=True).input_ids[0]
        assert torch.equal(whole[: len(prompt)], prompt)


def test_training_and_serving_see_the_same_pixels(processor, budget):
    raw = processor.encode([[user("q")]], [[PICTURES[0]]])
    ready = processor.encode([[user("q")]], [[fit_image(PICTURES[0], budget)]], side="left")
    assert torch.equal(raw.pixel_values, ready.pixel_values)
    patch = raw.pixel_values[0].reshape(3, 16, 16)
    shown = np.asarray(fit_image(PICTURES[0], budget), np.float32)[:16, :16].transpose(2, 0, 1)
    assert np.allclose(patch, shown / 127.5 - 1, atol=1e-5)


def test_sampled_tokens_are_used_as_they_are(processor, tokenizer):
    closing = tokenizer.convert_tokens_to_ids("<|im_end|>")
    odd = tuple(tokenizer.encode("z")) + tuple(tokenizer.encode("oom"))
    for ids, wrote in (((*odd, closing), len(odd) + 1), (odd, len(odd))):
        turn = {"role": "assistant", "content": "zoom", "token_ids": ids}
        batch = processor.encode([[user("q", 0), turn]], [[]])
        assert batch.input_ids[0][batch.written[0]].tolist() == list(ids)
        assert batch.written.sum() == wrote
        assert "zoom<|im_end|>\n" in tokenizer.decode(batch.input_ids[0])


@pytest.mark.parametrize("pictures", [[], PICTURES[:2], [*PICTURES, PICTURES[0]]])
def test_an_image_mismatch_is_an_error(processor, pictures):
    with pytest.raises(ModelError, match="3 image placeholders and"):
        processor.encode([dialogue()], [pictures])


def test_images_of_one_conversation_cannot_slip_into_the_next(processor):
    with pytest.raises(ModelError, match="1 image placeholders and 2"):
        processor.encode([[user("a")], [user("b")]], [PICTURES[:2], []])


def test_lists_of_different_length_are_refused(processor):
    with pytest.raises(ModelError, match="give one of each"):
        processor.encode([dialogue()], [])


def test_text_alone_needs_no_pixels(processor):
    batch = processor.encode([[{"role": "user", "content": "hi"}]], [[]])
    assert batch.pixel_values is None
    assert set(batch.inputs()) == {"input_ids", "attention_mask", "mm_token_type_ids"}


def test_tools_are_printed_for_those_who_want_them(processor, tokenizer):
    told = [[{"role": "user", "content": "hi"}]] * 2
    batch = processor.encode(told, [[], []], tools=[[{"name": "zoom"}], None])
    assert ['"zoom"' in tokenizer.decode(row) for row in batch.input_ids] == [True, False]


def test_it_survives_the_disk_and_auto_processor_finds_it(processor, tmp_path, budget):
    processor.encode([dialogue()], [PICTURES])
    processor.save_pretrained(tmp_path)
    for again in (AutoProcessor.from_pretrained(tmp_path), PixelProcessor.load(tmp_path)):
        assert type(again) is PixelProcessor
        assert again.budget == budget
        assert again.chat_template == TEMPLATE
        assert torch.equal(
            again.encode([dialogue()], [PICTURES]).input_ids,
            processor.encode([dialogue()], [PICTURES]).input_ids,
        )


def test_it_agrees_with_the_processor_it_extends(processor, budget):
    pictures = [fit_image(picture, budget) for picture in PICTURES]
    # Without a written turn, since only there segments are tokenised apart.
    told = [user("What colour?"), {"role": "tool", "content": [IMAGE, IMAGE]}]
    text = processor.apply_chat_template(told)
    assert text == render(told)
    stock = processor(text=[text], images=pictures, do_resize=False, return_tensors="pt")
    ours = processor.encode([told], [pictures])
    assert torch.equal(stock["input_ids"], ours.input_ids)
    assert torch.equal(stock["pixel_values"], ours.pixel_values)
    assert torch.equal(stock["mm_token_type_ids"], ours.mm_token_type_ids)


def test_a_folder_saved_for_the_stock_classes_loads(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "processor_config.json").read_text())["image_processor"]
    (tmp_path / "processor_config.json").unlink()
    stock = {**settings, "image_processor_type": "Qwen2VLImageProcessorFast"}
    stock["processor_class"] = "Qwen3VLProcessor"
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(stock))
    assert PixelProcessor.load(tmp_path).budget == processor.budget


def test_a_budget_that_does_not_fit_the_tower_is_refused(processor):
    with pytest.raises(ModelError, match="multiples of 32"):
        processor.set_budget(PixelBudget(784, 784, 28))


def test_the_model_takes_what_encode_gives(processor, tiny_folder):
    model = Qwen3VLForConditionalGeneration.from_pretrained(tiny_folder, dtype=torch.float32)
    batch = processor.encode([dialogue()], [PICTURES])
    loss = model(**batch.inputs(), labels=batch.labels()).loss
    assert torch.isfinite(loss)
