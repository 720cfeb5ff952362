from __future__ import annotations

import numpy as np
import torch

from pixelis.wheeler.votes import SOFT
from pixelis.wheeler.words import gather


@torch.no_grad()
def test_votes_are_the_weighted_sum_of_the_words(model):
    votes = model.votes
    pieces = gather(["red boat red", "cat"], model.shape.buckets)
    words = votes.words(pieces)
    assert words.texts.tolist() == [0, 0, 0, 1]
    total = sum(float(words.weights[k]) * words.vectors[k] for k in range(3))
    scale = float((words.weights[:3] ** 2).sum()) ** 0.5
    torch.testing.assert_close(votes(pieces)[0], votes.vote(total / scale))
    torch.testing.assert_close(votes(pieces)[1], votes.vote(words.vectors[3]))


@torch.no_grad()
def test_support_is_the_cosine_of_a_words_votes_with_the_frame(model, rng):
    """Written out word by word; the shortcut never builds the votes of single words."""
    votes = model.votes
    texts = ["red boat in harbour", "cat"]
    frames = torch.from_numpy(np.sign(rng.normal(size=(2, 256))).astype(np.float32))
    metric = torch.from_numpy(rng.uniform(0.2, 1, 256).astype(np.float32))
    pieces = gather(texts, model.shape.buckets)
    words = votes.words(pieces)
    wanted = []
    for number in range(2):
        found = []
        for vector, text in zip(words.vectors, words.texts, strict=True):
            if int(text) == number:
                own = votes.vote(vector) * metric.sqrt()
                frame = frames[number] * metric.sqrt()
                cosine = float(own @ frame / own.norm() / frame.norm())
                excuse = float(torch.nn.functional.softplus(votes.excuse(vector)))
                found.append(cosine + excuse)
        wanted.append(-np.log(np.exp(-SOFT * np.array(found)).sum()) / SOFT)
    got = votes.support(words, frames, metric)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-4)


@torch.no_grad()
def test_a_word_that_is_not_there_is_the_least_supported(builder):
    """Even untrained: votes of the text's own words are in its frame, those of another are not."""
    model = builder(grid=32, buckets=2048, word_width=32, vote_width=64)
    text = "the sailor found a boat"
    frame = model.frames(text)[0].numpy()
    own = model.support(text, frame)
    assert own > model.support("the sailor found a umbrella", frame)
    assert model.support("sailor boat", frame) >= own  # what is left out is not missed
