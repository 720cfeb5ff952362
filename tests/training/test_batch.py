import numpy as np
import pytest
import torch
from PIL import Image

from pixelis.models.nano import SYSTEM, nano_config, new_nano
from pixelis.models.processor import PixelProcessor
from pixelis.models.template import VISION, Segment, render
from pixelis.training import pool
from pixelis.training.batch import (
    Encoder,
    block_order,
    collate,
    dense_of,
    image_named,
    patchify,
)
from pixelis.training.lessons import (
    Lesson,
    about,
    ask_count,
    ask_list,
    ask_where,
    episode_lesson,
    look_lesson,
    within,
)
from pixelis.training.loss import DenseHead, TokenLoss, dense_loss, forward
from pixelis.training.views import CLASSES, targets


@pytest.fixture(scope="module")
def processor(tokenizer):
    return PixelProcessor.build(tokenizer, pool.BUDGET, nano_config(tokenizer).vision_config)


@pytest.fixture(scope="module")
def lessons(records):
    rng = np.random.default_rng(0)
    made = [look_lesson(rng, record, 4) for record in records if record.queries]
    made += [episode_lesson(rng, record) for record in records]
    return [lesson for lesson in made if lesson is not None]


def test_patches_are_those_of_the_serving_processor(processor, records):
    for record in records[:6]:
        pixels = record.views[0].pixels
        served = processor.pixels([Image.fromarray(pixels)])["pixel_values"]
        np.testing.assert_allclose(patchify(pixels), served.numpy(), atol=1e-5)


def test_block_order_follows_patchify():
    rows, columns = 4, 6
    numbers = np.arange(rows * columns)
    pixels = np.repeat(np.repeat(numbers.reshape(rows, columns), 16, 0), 16, 1)
    pixels = np.repeat(pixels[..., None], 3, 2).astype(np.uint8)
    seen = np.rint((patchify(pixels)[:, 0] + 1) * 127.5)
    np.testing.assert_array_equal(seen, block_order(numbers, rows, columns))


def test_tokens_are_those_of_the_serving_processor(processor, tokenizer, lessons):
    encoder = Encoder(tokenizer)
    for lesson in lessons[:5]:
        ids, labels, *_ = encoder.lesson(lesson)
        text = "".join(segment.text for segment in lesson.segments)
        again = []
        counts = iter(seen.cover.size // 4 for seen in lesson.images)
        for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
            again += [token] * (next(counts) if token == encoder.image_id else 1)
        assert ids == again
        assert 0 < sum(label >= 0 for label in labels) < len(labels)


def test_dense_truth_names_the_item_under_each_patch(records):
    seen = next(record.views[0] for record in records if record.kind in ("few", "objects"))
    classes, _, boxes = targets(seen)
    assert set(np.unique(classes)) - {0} <= {CLASSES.index(item.shape) for item in seen.items}
    columns = seen.cover.shape[1]
    for place in np.flatnonzero(classes)[:5]:
        y, x = divmod(int(place), columns)
        item = seen.items[seen.cover[y, x]]
        left = (boxes[place, 0] + (x + 0.5) / columns) * seen.view.box.width
        assert left == pytest.approx(item.box.x1, abs=1.0)


def test_losses_fall_when_the_same_batch_is_seen_again(tokenizer, lessons):
    torch.manual_seed(0)
    encoder = Encoder(tokenizer)
    batch = collate(encoder, lessons[:3])
    model = new_nano(tokenizer)
    head = DenseHead(model.config.text_config.hidden_size)
    token_loss = TokenLoss(tokenizer, model.config.text_config.vocab_size)
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=2e-3)
    losses = []
    for _ in range(12):
        logits, labels, merged, *_ = forward(model, head, batch)
        loss = token_loss(logits, labels) + dense_loss(head, merged, batch.dense).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.75 * losses[0]


def test_dense_of_joins_images(records):
    images = [record.views[0] for record in records[:3]]
    truth = dense_of(images)
    assert len(truth.classes) == sum(seen.cover.size for seen in images)


def test_questions_about_one_picture_are_learned_as_if_each_stood_alone(tokenizer, records):
    record = next(record for record in records if len(record.views[0].items) > 3)
    seen, rng = record.views[0], np.random.default_rng(1)
    asked = [ask(rng, seen) for ask in (ask_where, ask_list, ask_count, ask_where)]
    turns = [turn for turn in asked if turn is not None]
    assert len(turns) > 2
    encoder, model = Encoder(tokenizer), new_nano(tokenizer).eval()
    head = DenseHead(model.config.text_config.hidden_size)
    with torch.no_grad():
        together = forward(
            model, head, collate(encoder, [about(seen, turns), about(seen, turns[:1])])
        )
        alone = [forward(model, head, collate(encoder, [about(seen, [turn])])) for turn in turns]
    wanted = torch.cat([one.logits for one in (*alone, alone[0])])
    assert together.logits.std() > 0.1
    torch.testing.assert_close(together.logits, wanted, atol=1e-4, rtol=1e-3)
    assert torch.equal(together.labels, torch.cat([one.labels for one in (*alone, alone[0])]))


def test_a_branch_reads_like_the_opening_of_a_dialogue(records):
    seen = records[0].views[0]
    lesson = about(seen, [("Where?", "here"), ("Which one?", "this")])
    whole, second = lesson.segments[0].text, "".join(part.text for part in lesson.segments[3:5])
    assert lesson.branches == (0, 1, 1, 2, 2)
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": VISION + "Which one?"},
        {"role": "assistant", "content": "this"},
    ]
    assert (whole + second).strip() == render(messages).strip()


def test_a_lesson_stops_when_its_room_is_full():
    turns = [("How many?", "x" * 300)] * 5
    assert len(within(turns)) == 2
    assert len(within([("How many?", "x" * 5000)])) == 1


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("red star [10, 20]", None),
        ('<tool_call>\n{"name": "zoom_in", "arguments": {"bbox_2d": [1, 2, 3, 4]}}', 0),
        ('<tool_call>\n{"arguments": {"point_2d": [1, 2], "image": 2}}', 2),
    ],
)
def test_the_image_that_a_call_speaks_of(text, image):
    assert image_named(text) == image


def test_a_second_look_at_the_picture_points_into_the_picture(tokenizer, records):
    """After an outline was shown, a call without an image still means the first one."""
    first = records[0].views[0]
    call = '<tool_call>\n{"name": "segment_object_at", "arguments": {"point_2d": [500, 500]}}'
    parts = (Segment(VISION), Segment("a", True), Segment(VISION), Segment(call, True))
    encoder = Encoder(tokenizer)
    encoded = encoder.lesson(Lesson(parts, (first, first)))
    found = encoder.pointers(encoded)
    grid = encoded.grids[0]
    assert len(found) == 2
    for pointer in found:
        assert all(
            grid.start <= place < grid.start + grid.rows * grid.columns for place in pointer.to
        )
