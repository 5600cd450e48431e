"""Benchmarks, run from the repository root: ``python -m benchmarks.ratio PICTURES``; see README.md."""
