#!/bin/sh
# Makes what is missing in deploy/secrets: passwords, and a certificate that nobody vouches for (lay a real one in its place:
# tls_certificate with the whole chain, tls_key). What is there stays. Needs openssl.
#
#   ./make-secrets.sh [NAME]    NAME: the name or IP address of this machine from outside (default: localhost)
set -eu
cd "$(dirname "$0")/secrets"
name=${1:-localhost}

stop() {
  echo "$*" >&2
  exit 1
}

if [ -s tls_certificate ] && [ ! -s tls_key ]; then
  stop 'deploy/secrets has a tls_certificate without its tls_key: lay the key beside it, or move the certificate away, and start again.'
elif [ -s tls_key ] && [ ! -s tls_certificate ]; then
  stop 'deploy/secrets has a tls_key without its tls_certificate: lay the certificate beside it, or move the key away, and start again.'
fi

case $name in
  *[!A-Za-z0-9.:*_-]*) stop "NAME is the plain name or IP address of this machine, as in cam.example.org or 192.0.2.7: without https://, port, path or blanks." ;;
  *:*) kind=IP ;; # IPv6
  *[!0-9.]*) kind=DNS ;;
  *) kind=IP ;;
esac
[ "${#name}" -le 64 ] || stop 'NAME is longer than the 64 characters that a certificate takes: use a shorter name of this machine.'

# Containers run as other users, so the files may be read; the folder lets nobody in.
chmod 700 .
umask 022

# First of all, so that a NAME which openssl refuses leaves nothing behind.
if [ ! -s tls_certificate ]; then
  trap 'rm -f tls_key.new tls_certificate.new' EXIT
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=$name" \
    -addext "subjectAltName=$kind:$name" -keyout tls_key.new -out tls_certificate.new 2>/dev/null ||
    stop "openssl makes no certificate for $name: give a name as cam.example.org, or an IP address as 192.0.2.7."
  chmod 644 tls_key.new
  mv tls_key.new tls_key
  mv tls_certificate.new tls_certificate
fi

for secret in redis_password editor_password mqtt_password grafana_password credential_secret; do
  [ -s "$secret" ] || openssl rand -hex 24 >"$secret"
done
