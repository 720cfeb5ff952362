"""The decisions of online learning: pure functions and small state machines over plain values."""
