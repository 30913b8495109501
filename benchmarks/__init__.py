"""Measurements, side by side. Each prints a table for people and one JSON line last."""
