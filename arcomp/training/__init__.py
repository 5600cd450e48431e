"""Training: data, recipes, the loop, and freezing what comes of it. Nothing on the coded path imports this."""
