"""Metrics of single operations: masks, read text, tracks, named properties. Pure functions."""
