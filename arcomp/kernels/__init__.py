"""Compiled instructions of layers, for decoding front by front."""
