"""Layers with three evaluations of one function: float, exact over whole pictures, exact front by front."""
