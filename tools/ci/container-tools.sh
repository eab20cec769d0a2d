#!/usr/bin/env bash
# What `npm run test:deploy` needs, on Debian or Ubuntu, as root.
set -euo pipefail

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  podman runc netavark aardvark-dns catatonit iptables nftables uidmap buildah mmdebstrap docker.io \
  docker-registry docker-compose openssh-server openssh-client nginx prometheus redis-server mosquitto openssl curl shellcheck
