"""Layers with three evaluations of one function: float, exact in parallel, exact front by front."""
