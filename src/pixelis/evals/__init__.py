"""Evaluation: benchmarks, controls, statistics, reports."""
