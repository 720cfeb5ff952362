from __future__ import annotations

import math

import numpy as np
import pytest

from pixelis.evals.wheeler.oracle import peaks_by_cell, smooth_by_cell


def test_one_cell_by_hand():
    frame = np.zeros((3, 3))
    frame[1, 1] = 1.0
    assert smooth_by_cell(frame)[0, 0] == pytest.approx(math.tanh(1.5 / 9))
    moved = peaks_by_cell(frame)
    assert moved[1, 1] == 1.0
    assert moved[0, 1] == moved[0, 0] == pytest.approx(-0.35)  # as low as all around it
    frame[0, 1] = 0.5  # a slope below the peak
    assert peaks_by_cell(frame)[0, 1] == pytest.approx(0.6)
