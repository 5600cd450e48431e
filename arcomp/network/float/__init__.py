"""Networks in float, by torch: what is trained, and its likelihoods."""
