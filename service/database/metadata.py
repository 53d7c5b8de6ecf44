"""The metadata of all tables, for migrations and for code that reads every table."""

from service.database import accounts, known_minima, lessons, looks, metric_rows, offers, tables
from service.database.columns import Base

# A table belongs to the metadata once its module is imported.
MODULES = (accounts, known_minima, lessons, looks, metric_rows, offers, tables)
METADATA = Base.metadata
