"""Readers of real datasets: local files in, one kind of record out. `read_records` is the door."""

from pixelis.data.readers.read import SOURCES, read_records
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Rejections

__all__ = ["SOURCES", "Record", "RecordError", "Rejections", "read_records"]
