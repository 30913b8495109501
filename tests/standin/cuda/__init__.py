"""Stands for NVIDIA's package of the same name."""
