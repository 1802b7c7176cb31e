"""Measurements beside the rows: p99, quota, soak."""

SCENES = {}
