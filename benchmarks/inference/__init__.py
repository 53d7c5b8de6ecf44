"""Simulations of what comparisons conclude: errors under null hypotheses, coverage, power."""
