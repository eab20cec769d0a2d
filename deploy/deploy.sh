#!/usr/bin/env bash
# Brings a version to a server, and goes back by itself when anything about it fails. The server needs SSH and docker with
# compose; this side needs ssh, and for NOTIFY_URLS Node.js and curl.
#
#   deploy/deploy.sh              what IMAGE and WORKER_IMAGE say, each NAME@sha256:DIGEST; without WORKER_IMAGE
#                                 workers stay as they are
#   deploy/deploy.sh --rollback   the version that ran before this one; deploy/rollback.sh is the same
#   deploy/deploy.sh --finish     waits for the last deploy and tells how it ended, if nobody was told
#
# What it reads from the environment:
#   DEPLOY_HOST            [USER@]HOST
#   DEPLOY_KNOWN_HOSTS     the server's line of known_hosts; without it ~/.ssh/known_hosts has to know the server
#   DEPLOY_KEY             a private key; without it ssh takes yours
#   DEPLOY_PORT            22
#   DEPLOY_DIR             where the stack lies on the server, seen from the home of USER: m2fp
#   DEPLOY_STRATEGY        auto, beside or replace: "Update" in docs/operating.md tells what they are
#   REGISTRY_USER, REGISTRY_PASSWORD   for a registry that asks for them
#   NOTIFY_URLS            who is told how it ended: see notify.mjs
#
# The server does the work (on-server.sh) and this script watches. When the connection is lost, the deploy goes on there to
# its end, good or rolled back, and is found again as soon as the server answers.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# What on-server.sh wants beside it.
parts=(on-server.sh steps.sh containers.sh smoke.mjs http-only.mjs through-nginx.mjs)
# Seconds for the server to answer again after the connection was lost.
patience=600

usage() {
  echo "$*" >&2
  exit 2
}

# Runs a command on the server, which reads what this reads.
remote_reads() {
  # shellcheck disable=SC2029 # what is in it is of this side
  ssh "${options[@]}" "$DEPLOY_HOST" "$@"
}

# Runs a command on the server, which reads nothing: standard input may be a list of servers that somebody goes through.
remote() {
  remote_reads "$@" </dev/null
}

connect() {
  [[ ${DEPLOY_HOST:-} =~ ^[A-Za-z0-9_][A-Za-z0-9._@:-]*$ ]] || usage 'DEPLOY_HOST must be HOST or USER@HOST.'
  directory=${DEPLOY_DIR:-m2fp}
  [[ $directory =~ ^[A-Za-z0-9._/][A-Za-z0-9._/-]*$ ]] || usage 'DEPLOY_DIR may have letters, digits and . _ - / only.'
  temporary=$(mktemp -d)
  trap 'rm -rf "$temporary"' EXIT
  options=(-p "${DEPLOY_PORT:-22}" -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o LogLevel=ERROR)
  if [ -n "${DEPLOY_KNOWN_HOSTS:-}" ]; then
    printf '%s\n' "$DEPLOY_KNOWN_HOSTS" >"$temporary/known_hosts"
    options+=(-o "UserKnownHostsFile=$temporary/known_hosts" -o GlobalKnownHostsFile=/dev/null)
  fi
  if [ -n "${DEPLOY_KEY:-}" ]; then
    (umask 077 && printf '%s\n' "$DEPLOY_KEY" >"$temporary/key")
    options+=(-i "$temporary/key" -o IdentitiesOnly=yes)
  fi
}

# Lays the scripts into a folder of this run's own, so that no other run changes them under its feet, and starts them.
# Gives 75 while another deploy runs, 1 when it could not be started, and anything else when the connection was lost.
begin() {
  tar -C "$here" -cf - "${parts[@]}" |
    remote_reads "umask 077 && mkdir -p $runs/$run && tar -xof - -C $runs/$run" || return 1
  # By standard input: what lies in arguments is seen in the list of processes.
  printf '%s\n' "$what" "${IMAGE:-}" "${WORKER_IMAGE:-}" "${DEPLOY_STRATEGY:-auto}" "${REGISTRY_USER:-}" "${REGISTRY_PASSWORD:-}" |
    remote_reads "sh $runs/$run/on-server.sh start || { [ \$? -eq 75 ] && exit 75; exit 1; }"
}

# Prints what the deploy on the server says until it has ended. Then `outcome` is how, in one word, `title` and `text` tell it.
follow() {
  local lines=0 seen=$SECONDS line
  # A deploy that is refused takes its folder with it.
  local absent="echo outcome refused; echo title the deploy did not begin; echo text It has changed nothing."
  while true; do
    while IFS= read -r line; do
      case $line in
        'outcome '*) outcome=${line#outcome } ;;
        'title '*) title=${line#title } ;;
        'text '*) text+=${line#text }$'\n' ;;
        'log '*) lines=$((lines + 1)) && printf '%s\n' "${line#log }" ;;
      esac
      seen=$SECONDS
    done < <(remote "if [ -e $runs/$run/on-server.sh ]; then sh $runs/$run/on-server.sh follow $((lines + 1)); else $absent; fi" 2>&1)
    [ -z "$outcome" ] || return 0
    [ $((SECONDS - seen)) -lt "$patience" ] || return 1
    echo 'The connection is lost. The server goes on by itself; trying to reach it again.'
    sleep 2
  done
}

# Asks the server to go back; following goes on, so that the end is told.
cancel() {
  echo 'Stopping: the server is asked to go back.'
  remote "touch $runs/$run/cancel" || true
}

# Tells everybody, once.
tell() {
  # Whoever makes this folder first has the right to tell; a server that cannot be asked is no reason to be silent.
  if [ -n "${begun:-}" ] && [ "$(remote "mkdir $runs/$run/told 2>/dev/null || [ ! -d $runs/$run ] || echo told" || true)" = told ]; then
    echo 'This was told already.'
    return
  fi
  printf '\n%s\n%s\n' "$2" "$3"
  [ -z "${NOTIFY_URLS:-}" ] || node "$here/notify.mjs" "$@" || true
}

connect
runs=$directory/.deploy/runs
run=$(date -u +%Y%m%dT%H%M%SZ)-$$
outcome='' title='' text=''
case ${1:-} in
  '') what=deploy ;;
  --rollback) what=rollback ;;
  --finish) what=finish ;;
  *) usage 'deploy.sh takes --rollback, --finish or nothing.' ;;
esac
if [ "$what" = deploy ]; then
  for image in "${IMAGE:-}" ${WORKER_IMAGE:+"$WORKER_IMAGE"}; do
    [[ $image =~ ^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$ ]] ||
      usage 'IMAGE and WORKER_IMAGE must be NAME@sha256:DIGEST: a tag may be another image tomorrow.'
  done
fi
[[ ${DEPLOY_STRATEGY:-auto} =~ ^(auto|beside|replace)$ ]] || usage 'DEPLOY_STRATEGY must be auto, beside or replace.'

if [ "$what" = finish ]; then
  run=$(remote "sed 's|.*/||' $directory/.deploy/last 2>/dev/null" || true)
  [ -n "$run" ] || usage "There was no deploy to $DEPLOY_HOST yet."
else
  trap cancel INT TERM HUP
  code=0
  begin || code=$?
  # Where the connection was lost it may have begun all the same: following it tells.
  if [ "$code" -eq 1 ] || [ "$code" -eq 75 ]; then
    if [ "$code" -eq 75 ]; then
      reason='Another deploy is running there; this one has changed nothing. Try again when it has ended.'
    else
      reason='It could not be started there (the lines above say why) and has changed nothing.'
    fi
    tell failure "$DEPLOY_HOST: $what did not begin" "$reason"
    exit 1
  fi
fi
begun=yes
if ! follow; then
  tell failure "$DEPLOY_HOST: nobody knows how the $what ends" \
    "The server does not answer. It goes on by itself, or goes back to the version before. See there: $runs/$run/log"
  exit 1
fi
trap '' INT TERM HUP
case $outcome in
  deployed) tell success "$DEPLOY_HOST: $title" "$text" ;;
  *) tell failure "$DEPLOY_HOST: $title" "$text" && exit 1 ;;
esac
