"""Plots of jobs: from a request to series of rows, to a figure, to the bytes of a picture."""
