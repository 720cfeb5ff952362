"""What the agent remembers: a durable store of experiences with pictures, recall and erasure."""

from pixelis.memory.embedding import Embedder, PlainEmbedder, embedder_for
from pixelis.memory.experience import STATUSES, Experience
from pixelis.memory.filter import Filter
from pixelis.memory.priority import Room
from pixelis.memory.recall import Neighbour, Probe, Recall, Recollection, register
from pixelis.memory.store import Memory, Vote

__all__ = [
    "STATUSES",
    "Embedder",
    "Experience",
    "Filter",
    "Memory",
    "Neighbour",
    "PlainEmbedder",
    "Probe",
    "Recall",
    "Recollection",
    "Room",
    "Vote",
    "embedder_for",
    "register",
]
