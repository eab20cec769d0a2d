#!/usr/bin/env bash
# Installs what is missing of what `npm run test:deploy` needs, on Debian or Ubuntu, as root.
set -euo pipefail

# PROGRAM:PACKAGE
needed=(
  podman:podman runc:runc netavark:netavark aardvark-dns:aardvark-dns catatonit:catatonit iptables:iptables
  mmdebstrap:mmdebstrap docker:docker.io docker-compose:docker-compose docker-registry:docker-registry
  sshd:openssh-server ssh:openssh-client openssl:openssl
)

missing=()
for pair in "${needed[@]}"; do
  PATH="$PATH:/usr/sbin:/usr/lib/podman:/usr/libexec/podman" command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
