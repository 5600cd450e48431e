"""Orders: which positions are decoded together, and in what sequence."""

from arcomp.orders.groups import InGroups, split
from arcomp.orders.order import Batch, Front, Independent, Order, Raster, grouped
from arcomp.orders.wavefront import Wavefront

__all__ = ["Batch", "Front", "InGroups", "Independent", "Order", "Raster", "Wavefront", "grouped", "split"]
