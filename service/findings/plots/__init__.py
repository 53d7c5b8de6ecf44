"""Pictures of jobs: a request is read, rows become series, series become a figure, a figure becomes bytes."""
