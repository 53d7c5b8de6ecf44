#!/bin/sh
# Creates the user and the database of Ravine when PostgreSQL's folder is created. The user is no superuser: it owns its
# database and nothing else. Run by the image of PostgreSQL, as are all files of /docker-entrypoint-initdb.d.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$RAVINE_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE ravine LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE ravine OWNER ravine;
REVOKE ALL ON DATABASE ravine FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
