"""Shipped weights and their cards; data only."""
