"""Arithmetic that gives the same integers on every machine: matrix products, re-scaling, tables, digests."""
