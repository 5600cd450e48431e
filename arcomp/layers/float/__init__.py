"""Layers in float, by torch: what is trained. One file for each file of layers that has such a twin."""
