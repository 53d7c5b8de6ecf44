"""Measurements of Ravine on this machine. ``make bench`` runs them all and prints a table and JSON."""
