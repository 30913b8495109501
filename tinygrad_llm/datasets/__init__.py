"""Texts and token arrays: read, generated, fetched, cut into batches."""
