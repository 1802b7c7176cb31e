"""Rows in which a store or its data misbehave: 7, 14."""

ROWS = {}
