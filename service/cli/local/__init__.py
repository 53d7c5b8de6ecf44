"""The embedded stack: broker, workers and API as supervised processes of one command."""
