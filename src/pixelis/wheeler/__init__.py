"""Text as a picture that remembers: autoencoder, dynamics of frames, associative memory.

>>> from pixelis.wheeler import WheelerMemoryCPU
>>> WheelerMemoryCPU(4, 3).run_dynamics(b"Hello").shape
(3, 4)
"""

from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.dynamics import Settling, WheelerMemoryCPU
from pixelis.wheeler.memory import Recall, WheelerMemory

__all__ = ["Recall", "Settling", "WheelerMemory", "WheelerMemoryCPU", "WheelerTextAutoencoder"]
