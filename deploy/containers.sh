# shellcheck shell=sh
# What on-server.sh knows of the stack's containers and of nginx before them; it reads this file.
# shellcheck disable=SC2154 # run, project and image are on-server.sh's

# --- what there is ---

# A line of .env, read as compose does: the last one counts, without quotes, and without what is remarked behind it.
setting() {
  sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" .env 2>/dev/null | tail -n 1 |
    sed -e 's/[[:space:]]*$//' -e 's/^"\([^"]*\)".*$/\1/' -e t -e "s/^'\([^']*\)'.*$/\1/" -e t -e 's/[[:space:]]\{1,\}#.*$//'
}

# The name that compose gives to the stack: compose itself says it; old ones do not.
project_name() {
  name=$(docker compose config 2>/dev/null | sed -n 's/^name: *//p' | head -n 1 | tr -d "\"'")
  name=${name:-$(setting COMPOSE_PROJECT_NAME)}
  printf '%s\n' "${name:-$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | sed -e 's/[^-_a-z0-9]//g' -e 's/^[-_]*//')}"
}

compose() {
  if [ -e "$run/old-compose" ]; then
    docker-compose --project-name "$project" "$@"
  else
    docker compose --project-name "$project" "$@"
  fi
}

# The containers of a service, one ID a line; more words are for docker ps (--all: those that have ended, too).
containers() {
  service=$1
  shift
  docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter label=com.docker.compose.oneoff=False --filter "label=com.docker.compose.service=$service" "$@"
}

# Those of the lines $1 that are not among the lines $2.
without() { printf '%s\n' "$1" | grep . | grep -vxF -e "${2:--}" || true; }

count() { printf '%s\n' "$1" | grep -c . || true; }

# Whether a container is ready now.
is_ready() { docker exec "$1" m2fp-ready >/dev/null 2>&1; }

# One of the lines $1: the first that is ready or, with none, the first.
best() {
  for one in $1; do
    if is_ready "$one"; then
      echo "$one"
      return
    fi
  done
  printf '%s\n' "$1" | head -n 1
}

# Of the running containers of a service, those that were made of an image.
running() {
  wanted=$(docker image inspect --format '{{.Id}}' "$2" 2>/dev/null) || return 0
  for one in $(containers "$1"); do
    made_of=$(docker inspect --format '{{.Image}}' "$one")
    [ "${made_of#sha256:}" != "${wanted#sha256:}" ] || echo "$one"
  done
}

# The image that a service runs now, by its digest where .env or docker know it. One that was built here has none: then
# by its ID.
image_of() {
  named=$(setting "$2")
  case $named in
    *@sha256:*)
      printf '%s\n' "$named"
      return
      ;;
  esac
  # The one that .env means, where a killed deploy has left others, too.
  one=$([ -z "$named" ] || running "$1" "$named" | head -n 1)
  one=${one:-$(containers "$1" | head -n 1)}
  one=${one:-$(containers "$1" --all | head -n 1)}
  [ -n "$one" ] || return 0
  version_of "$one"
}

# The image of a container: by its digest where docker knows it, else by its ID.
version_of() {
  made_of=$(docker inspect --format '{{.Image}}' "$1")
  known=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$made_of" 2>/dev/null | sed '/^$/d' | head -n 1)
  printf '%s\n' "${known:-sha256:${made_of#sha256:}}"
}

# --- containers ---

# Waits until a container says that it is ready. If it does not, its log is kept, here: it may hold anything.
wait_until_ready() {
  deadline=$(($(date +%s) + ${ready_timeout:-180}))
  until trouble=$(docker exec "$1" m2fp-ready 2>&1); do
    trouble=$(printf '%s\n' "$trouble" | tail -n 1)
    # docker starts it again and again: once is enough to know.
    state=$(docker inspect --format '{{.State.Running}} {{.RestartCount}}' "$1")
    if is_cancelled; then
      fail "$stopped_by_hand"
    elif [ "$state" != 'true 0' ]; then
      trouble='it ended by itself'
    elif [ "$(date +%s)" -lt "$deadline" ]; then
      sleep 1
      continue
    fi
    docker logs "$1" >"$run/$2.log" 2>&1 || true
    fail "the $2 that was started is not ready: $trouble (its log: $run/$2.log)"
  done
}

# Starts as many more containers of a service as $2 says, of the image that M2FP_IMAGE or M2FP_WORKER_IMAGE names.
# Gives their IDs.
start_more() {
  before=$(containers "$1" --all)
  compose up -d --no-deps --no-recreate --scale "$1=$(($(count "$before") + $2))" "$1" >>"$run/compose.log" 2>&1 ||
    fail "docker compose could not start $1: $(grep -i error "$run/compose.log" | tail -n 1)"
  more=$(without "$(containers "$1" --all)" "$before")
  [ "$(count "$more")" -ge "$2" ] || fail "docker compose started no $1 in the stack $project"
  printf '%s\n' "$more"
}

# Stops and removes containers; $1 is the number of seconds that they have to end.
remove() {
  seconds=$1
  shift
  [ $# -eq 0 ] || { docker stop --time "$seconds" "$@" && docker rm --force "$@"; } >/dev/null
}

# --- nginx ---

# Sends requests to one container or, with none, to the service, whichever container that is.
# shellcheck disable=SC2120 # on-server.sh names one
send_requests_to() {
  if [ $# -eq 1 ]; then
    printf "set \$node_red %.12s;\n" "$1" >nginx/state/upstream.conf.new
    mv nginx/state/upstream.conf.new nginx/state/upstream.conf
  else
    rm -f nginx/state/upstream.conf
  fi
  in_front=$(containers nginx | head -n 1)
  [ -n "$in_front" ] || fail "nginx does not run in the stack $project"
  docker exec "$in_front" nginx -s reload >"$run/nginx.log" 2>&1 ||
    fail "nginx does not read its configuration: $(tail -n 1 "$run/nginx.log")"
}

# Requests go to the service again, which is one container, and nginx answers with what that says. Nothing has succeeded before.
open_to() {
  # shellcheck disable=SC2119
  send_requests_to
  rm -f nginx/state/maintenance
  docker exec "$1" node --input-type=module --eval "$(cat "$run/through-nginx.mjs")" >"$run/through-nginx.log" 2>&1 || true
  words=$(tail -n 1 "$run/through-nginx.log")
  if [ "$words" != 'nginx answers.' ]; then
    docker logs --tail 200 "$(containers nginx | head -n 1)" >"$run/nginx.log" 2>&1 || true
    fail "nginx in front of it: ${words:-no answer} (its log: $run/nginx.log)"
  fi
}

# Waits until nobody but itself is connected to a Node-RED (port 1880 is 0758, an open connection 01).
drain() {
  deadline=$(($(date +%s) + ${drain_timeout:-100}))
  while docker exec "$1" cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    grep -E '^ *[0-9]+: [0-9A-F]+:0758 [0-9A-F]+:[0-9A-F]+ 01 ' | grep -qvE ':0758 (0100007F|0{16}FFFF00000100007F|0{24}01000000):'; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      say 'Somebody is still connected to the old Node-RED; not waiting any longer.'
      return
    fi
    sleep 1
  done
}
