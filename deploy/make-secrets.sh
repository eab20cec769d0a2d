#!/bin/sh
# Makes what is missing in deploy/secrets: passwords, and a certificate that nobody vouches for (lay a real one in its place:
# tls_certificate with the whole chain, tls_key). What is there stays. Needs openssl.
#
#   ./make-secrets.sh [NAME]    NAME: what this machine is called from outside (default: localhost)
set -eu
cd "$(dirname "$0")/secrets"
name=${1:-localhost}
# Containers run as other users, so the files may be read; the folder lets nobody in.
chmod 700 .
umask 022

for secret in redis_password editor_password mqtt_password grafana_password credential_secret; do
  [ -s "$secret" ] || openssl rand -hex 24 >"$secret"
done

if [ ! -s tls_certificate ] || [ ! -s tls_key ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout tls_key -out tls_certificate 2>/dev/null
  chmod 644 tls_key
fi
