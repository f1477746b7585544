# Taken in by the image of MySQL at its first start.
docker_process_sql <<<"CREATE USER grafana IDENTIFIED BY '$COLDSTREAM_GRAFANA_DB_PASSWORD'"
docker_process_sql </reader.sql
