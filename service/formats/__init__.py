"""Histories and runs as CSV, NDJSON and Parquet: streamed, in bounded memory, without a limit on their number."""
