"""Rows in which Infusionsoft misbehaves: 3, 4, 5, 6."""

ROWS = {}
