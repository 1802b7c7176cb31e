"""Rows in which Kafka, Redis or the way to them fail: 8, 9, 12, 13."""

ROWS = {}
