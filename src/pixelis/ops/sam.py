"""Segment Anything checkpoints (SAM 2 and the SAM 3 tracker) as a segmenter, from a local folder.

Nothing is downloaded; torch and transformers are imported when the first checkpoint is loaded. The
pictures are prepared here (squeezed to the model's square, normalised), because the processors in
transformers need torchvision for it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelis.errors import ModelError
from pixelis.geometry import Point
from pixelis.ops.regions import Region

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Sam:
    """A promptable segmentation model; satisfies `pixelis.ops.regions.Segmenter`.

    Args:
        folder: a checkpoint in the Hugging Face layout, of model type `sam2*` or `sam3*`.
        device: where it runs, as torch names it.
    """

    def __init__(self, folder: str | Path, device: str = "cpu") -> None:
        self.folder, self.device = Path(folder), device
        self._model: Any = None
        self._side, self._normal = 1024, IMAGENET
        self._seen: tuple[bytes, Any] | None = None

    def load(self) -> None:
        """Loads the weights once; ModelError when the folder does not hold such a checkpoint."""
        if self._model is not None:
            return
        kind = self._kind()
        import transformers

        name = "Sam2Model" if kind.startswith("sam2") else "Sam3TrackerModel"
        self._normal = IMAGENET if kind.startswith("sam2") else CENTRED
        try:
            model = getattr(transformers, name).from_pretrained(self.folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{self.folder}: not a usable {name} checkpoint: {error}") from error
        self._model = model.eval().to(self.device)
        side = model.config.prompt_encoder_config.image_size
        self._side = int(side if isinstance(side, int) else side[0])

    def _kind(self) -> str:
        path = self.folder / "config.json"
        try:
            kind = str(json.loads(path.read_text(encoding="utf-8"))["model_type"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path}: need a config.json with a model_type; {error}") from error
        if not kind.startswith(("sam2", "sam3")):
            raise ModelError(f"{path}: model type {kind!r}; allowed are sam2 and sam3 checkpoints")
        return kind

    def segment(self, rgb: np.ndarray, point: Point) -> Region | None:
        """The best of the model's masks for a point; confidence is its own IoU estimate.

        Args:
            rgb: uint8 (height, width, 3).
            point: in pixels of `rgb`.
        """
        import torch

        self.load()
        height, width = rgb.shape[:2]
        place = [
            (point.x + 0.5) * self._side / width,
            (point.y + 0.5) * self._side / height,
        ]
        with torch.inference_mode():
            result = self._model(
                image_embeddings=list(self._embed(rgb)),
                input_points=torch.tensor([[[place]]], dtype=torch.float32, device=self.device),
                input_labels=torch.ones((1, 1, 1), dtype=torch.int64, device=self.device),
            )
        scores = result.iou_scores[0, 0].float().cpu().numpy()
        best = int(scores.argmax())
        logits = result.pred_masks[0, 0, best].float().cpu().numpy()
        mask = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0
        if not mask.any():
            return None
        return Region(mask, float(np.clip(scores[best], 0, 1)))

    def _embed(self, rgb: np.ndarray) -> Any:
        """Image embeddings, kept for the next question about the same picture."""
        key = hashlib.sha256(np.ascontiguousarray(rgb).data).digest()
        if self._seen is None or self._seen[0] != key:
            self._seen = (key, self._model.get_image_embeddings(self._pixels(rgb)))
        return self._seen[1]

    def _pixels(self, rgb: np.ndarray) -> Any:
        import torch

        square = cv2.resize(rgb, (self._side, self._side), interpolation=cv2.INTER_LINEAR)
        mean, deviation = (np.array(values, np.float32) for values in self._normal)
        values = (square.astype(np.float32) / 255 - mean) / deviation
        return torch.from_numpy(values).permute(2, 0, 1)[None].to(self.device)
