from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch

from pixelis.data import synthesis, tasks
from pixelis.media import open_picture
from pixelis.models.nano import TEXT_LIMIT
from pixelis.models.policy import Profile, write_profile
from pixelis.ops.workspace import PixelBudget
from pixelis.training import pool
from pixelis.training.vocabulary import make_tokenizer

TESTS = Path(__file__).parents[1]
NO_READING = ("attribute_recognition", "object_counting")
BUDGETS = {"qwen2.5": PixelBudget(56 * 56, 84 * 84, 28), "qwen3": PixelBudget(4096, 9216, 32)}


def _module(name: str, path: Path):
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer(3)


@pytest.fixture(scope="session")
def records():
    return [pool.draw_record(5, number) for number in range(12)]


@pytest.fixture(scope="session")
def episodes(tmp_path_factory) -> Path:
    """A file of eight executed episodes, two with a slip, their source pictures beside it."""
    folder = tmp_path_factory.mktemp("episodes")
    lines = []
    for index in range(40):
        task = tasks.draw(21, index, families=NO_READING)
        task.image.save(folder / f"{task.id}.png")
        opened = open_picture(folder / f"{task.id}.png")
        slip = synthesis.np.random.default_rng(index) if len(lines) < 2 else None
        golden = synthesis.make(task, pool.BUDGET, TEXT_LIMIT, slip)
        if golden is None:
            continue
        episode = replace(
            golden.episode,
            media=replace(golden.episode.media, name=f"{task.id}.png", sha256=opened.sha256),
        )
        record = {
            "episode": episode.to_dict(),
            "gold": task.answer,
            "answer_type": task.answer_type,
            "family": task.family,
            "media": f"{task.id}.png",
        }
        lines.append(json.dumps(record))
        if len(lines) == 8:
            break
    (folder / "episodes.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def shard(tmp_path_factory) -> Path:
    """A shard of nano's golden episodes, images and all."""
    folder = tmp_path_factory.mktemp("shard")
    synthesis.write_shard(folder, 9, 0, pool.BUDGET, TEXT_LIMIT, size=12)
    return folder


@pytest.fixture(scope="session")
def families(tmp_path_factory) -> dict[str, Path]:
    """Folders of a tiny random Qwen2.5-VL and Qwen3-VL, as their checkpoints lie on disk."""
    built = _module("families", TESTS / "e2e" / "test_families.py")
    spoken = {"qwen2.5": "qwen2.5-vl", "qwen3": "qwen3-vl"}
    folders = {}
    for name, (build, patch) in built.FAMILIES.items():
        folder = tmp_path_factory.mktemp("family") / name
        words = built.tiny.build_tokenizer()
        torch.manual_seed(3)
        model = build(words)
        with torch.no_grad():  # so that the layers before it can move its choice at all
            model.get_output_embeddings().weight.mul_(8)
        model.save_pretrained(folder)
        words.save_pretrained(folder)
        budget = BUDGETS[name]
        images = {
            "image_processor_type": "Qwen2VLImageProcessor",
            "size": {"shortest_edge": budget.min_pixels, "longest_edge": budget.max_pixels},
            "patch_size": patch,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        }
        (folder / "preprocessor_config.json").write_text(json.dumps(images))
        profile = Profile(name, spoken[name], "Look.", True, budget, new_tokens=8)
        assert asdict(profile)["budget"]["multiple"] == patch * 2
        write_profile(folder, profile)
        folders[name] = folder
    return folders
