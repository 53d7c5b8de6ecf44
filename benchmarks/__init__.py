"""Benchmarks of Ravine. ``make bench`` runs all of them and prints tables and one line of JSON."""
