"""A module of the user loads the weights, and the policy answers as one from the folder does."""

from __future__ import annotations

import sys

import pytest

from pixelis.errors import ConfigError, ModelError
from pixelis.models.load import load_policy
from pixelis.models.policy import Request, Sampling

MODULE = """
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, Qwen2VLImageProcessorPil

SEEN = []

def load_model(config):
    SEEN.append(config)
    model = AutoModelForImageTextToText.from_pretrained({folder!r}, dtype=config.dtype)
    processor = AutoProcessor.from_pretrained({folder!r})
    return model, processor.tokenizer, processor

def stock(config):
    model, tokenizer, processor = load_model(config)
    return model, tokenizer, processor.image_processor

def alone(config):
    model, tokenizer, processor = load_model(config)
    return model, None, processor

def short(config):
    return "model"

def broken(config):
    return {{}}["weights"]

def empty(config):
    return None, None, None

def images(config):
    model, tokenizer, processor = load_model(config)
    return model, None, processor.image_processor

number = 3
"""


@pytest.fixture
def module(tmp_path, tiny_folder, monkeypatch):
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE.format(folder=str(tiny_folder)))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.mark.parametrize("function", ["load_model", "stock", "alone"])
def test_it_answers_like_the_folder(module, tiny_folder, function):
    mine = load_policy(f"loader:{module}:{function}", device="cpu", allow_download=True)
    folder = load_policy(f"hf:{tiny_folder}", device="cpu")
    mine.profile = folder.profile
    mine.processor.set_budget(folder.profile.budget)
    asked = [Request([{"role": "user", "content": text}]) for text in ("red?", "What is the sign?")]
    few = Sampling(max_new_tokens=8)
    said = [turn.text for turn in mine.generate(asked, few)]
    assert said == [turn.text for turn in folder.generate(asked, few)]


def test_the_function_is_told_what_was_chosen(module):
    load_policy(f"loader:{module}:load_model", device="cpu", allow_download=True)
    config = sys.modules[module].SEEN[-1]
    assert (config.device, config.dtype, config.allow_download) == ("cpu", "float32", True)


@pytest.mark.parametrize("spec", ["", "mine", ":f", "mine:", "no_such_module:f", "json:nothing"])
def test_a_spec_that_names_no_function(spec):
    with pytest.raises(ConfigError, match="loader:"):
        load_policy(f"loader:{spec}")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("short", "not .model, tokenizer, processor"),
        ("empty", "cannot generate"),
        ("broken", "broken failed: KeyError: 'weights"),
        ("images", "gave no tokenizer"),
    ],
)
def test_what_is_no_model(module, function, reason):
    with pytest.raises(ModelError, match=reason) as told:
        load_policy(f"loader:{module}:{function}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("half_written", "def load_model(config:", "SyntaxError"),
        ("misspelt", "model = lod()", "NameError"),
    ],
)
def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, name, text, fault):
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=f"cannot be imported: {fault}"):
        load_policy(f"loader:{name}:load_model")


def test_what_is_no_function(module):
    with pytest.raises(ConfigError, match="has no function 'number'"):
        load_policy(f"loader:{module}:number")
