"""A network's definition, its evaluations, its likelihoods and its configuration."""
