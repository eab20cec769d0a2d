#!/bin/sh
# The part of a deploy that runs on the server, in a folder .deploy/runs/RUN of the stack; deploy.sh sends and calls it.
#
#   on-server.sh start         reads what to do, takes the lock and leaves `run` behind, which no lost connection ends
#   on-server.sh follow LINE   prints the log from that line on and, when the run has ended, how
#   on-server.sh run           `steps`; when one fails, `settle`
#   on-server.sh steps         pull, workers, Node-RED
#   on-server.sh settle        back: makes what runs what .env says
#
# .env names the version that runs. It is written when a new one has proved itself, so it is true at any moment.
set -eu
umask 022
run=$(cd "$(dirname "$0")" && pwd)
cd "$run/../../.."
# To standard error, for standard output may be what a function gives; both are the log.
say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

fail() {
  say "FAILED: $*"
  printf '%s\n' "$*" >"$run/reason"
  exit 1
}

step() {
  [ ! -e "$run/cancel" ] || fail 'it was stopped by hand'
  printf '%s\n' "$*" >"$run/step"
  say "$*"
}

# --- what there is ---

# A line of .env.
setting() { sed -n "s/^$1=//p" .env 2>/dev/null | tail -n 1; }

project=$(setting COMPOSE_PROJECT_NAME)
project=${project:-m2fp}

# Seconds for a container to become ready, for requests to end, and for the registry.
ready_timeout=$(setting M2FP_READY_TIMEOUT)
drain_timeout=$(setting M2FP_DRAIN_TIMEOUT)
pull_timeout=$(setting M2FP_PULL_TIMEOUT)

compose() {
  if [ -e "$run/old-compose" ]; then docker-compose "$@"; else docker compose "$@"; fi
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

# Of the running containers of a service, those that were made of an image.
running() {
  wanted=$(docker image inspect --format '{{.Id}}' "$2" 2>/dev/null) || return 0
  for one in $(containers "$1"); do
    made_of=$(docker inspect --format '{{.Image}}' "$one")
    [ "${made_of#sha256:}" != "${wanted#sha256:}" ] || echo "$one"
  done
}

# The image that a service runs now: by its digest, where .env or docker know it.
image_of() {
  named=$(setting "$2")
  one=$(containers "$1" | head -n 1)
  case $named in
    *@sha256:*) printf '%s\n' "$named" ;;
    *)
      [ -n "$one" ] || return 0
      docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' \
        "$(docker inspect --format '{{.Image}}' "$one")" | grep . | head -n 1 || printf '%s\n' "$named"
      ;;
  esac
}

# --- containers ---

# Waits until a container says that it is ready. If it does not, its log is kept, here: it may hold anything.
wait_until_ready() {
  deadline=$(($(date +%s) + ${ready_timeout:-180}))
  until trouble=$(docker exec "$1" m2fp-ready 2>&1); do
    trouble=$(printf '%s\n' "$trouble" | tail -n 1)
    # docker starts it again and again: once is enough to know.
    state=$(docker inspect --format '{{.State.Running}} {{.RestartCount}}' "$1")
    if [ "$state" != 'true 0' ]; then
      trouble='it ended by itself'
    elif [ "$(date +%s)" -lt "$deadline" ] && [ ! -e "$run/cancel" ]; then
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
  without "$(containers "$1" --all)" "$before"
}

# Stops and removes containers; $1 is the number of seconds that they have to end.
remove() {
  seconds=$1
  shift
  [ $# -eq 0 ] || { docker stop --time "$seconds" "$@" && docker rm --force "$@"; } >/dev/null
}

# --- nginx ---

# Sends requests to one container or, with none, to the service, whichever container that is.
send_requests_to() {
  if [ $# -eq 1 ]; then
    printf "set \$node_red %.12s;\n" "$1" >nginx/state/upstream.conf.new
    mv nginx/state/upstream.conf.new nginx/state/upstream.conf
  else
    rm -f nginx/state/upstream.conf
  fi
  docker exec "$(containers nginx)" nginx -s reload >"$run/nginx.log" 2>&1 ||
    fail "nginx does not read its configuration: $(tail -n 1 "$run/nginx.log")"
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

# --- the steps ---

pull() {
  for wanted in "$image" ${worker_image:+"$worker_image"}; do
    if docker image inspect "$wanted" >/dev/null 2>&1; then continue; fi
    # The registry's password lies in a configuration of this run only.
    if [ -d "$run/docker" ]; then set -- --config "$run/docker"; else set --; fi
    timeout "${pull_timeout:-900}" docker "$@" pull --quiet "$wanted" >"$run/pull.log" 2>&1 ||
      fail "$wanted could not be pulled: $(tail -n 1 "$run/pull.log") ($(df -h . | awk 'END { print $4 }') of disk are free)"
  done
}

# New workers beside the old ones; those then finish what they hold, and end.
replace_workers() {
  old=$(without "$(containers worker --all)" "$(running worker "$worker_image")")
  missing=$(($(cat "$run/workers") - $(count "$(running worker "$worker_image")")))
  if [ "$missing" -gt 0 ]; then
    new=$(start_more worker "$missing")
    for one in $new; do wait_until_ready "$one" worker; done
    say 'The new workers are ready; the old ones finish what they hold.'
  fi
  # shellcheck disable=SC2086 # one word for each
  remove 60 $old
}

# Parses a picture in a Node-RED, and looks at the answer.
smoke_test() {
  step 'Smoke test: one picture'
  docker exec -e "SMOKE_PATH=$(setting M2FP_SMOKE_PATH)" -e "SMOKE_PERSONS=$(setting M2FP_SMOKE_PERSONS)" "$1" \
    node --input-type=module --eval "$(cat "$run/smoke.mjs")" >"$run/smoke.log" 2>&1 || true
  words=$(tail -n 1 "$run/smoke.log")
  case $words in *'as it should be.') say "$words" ;; *) fail "the smoke test: ${words:-no answer}" ;; esac
}

http_only='These flows only answer HTTP.'

# Whether the new Node-RED may run beside the old one: neither may do anything by itself.
may_run_beside() {
  case $strategy in beside) return 0 ;; replace) return 1 ;; esac
  look=$(cat "$run/http-only.mjs")
  # Its words are what counts: an exit code of 0 has other reasons, too.
  [ "$(docker exec "$1" node --input-type=module --eval "$look")" = "$http_only" ] &&
    [ "$(docker run --rm --network none --volumes-from "$1:ro" --entrypoint node "$image" --input-type=module --eval "$look")" = "$http_only" ]
}

replace_node_red() {
  step 'Node-RED'
  old=$(containers node-red --all)
  new=$(running node-red "$image" | head -n 1)
  if [ -n "$new" ]; then
    echo 'It ran already.' >"$run/how"
    smoke_test "$new"
  elif [ -z "$old" ]; then
    echo 'It is the first one.' >"$run/how"
    new=$(start_more node-red 1)
    wait_until_ready "$new" node-red
    smoke_test "$new"
    send_requests_to
  elif may_run_beside "$old"; then
    echo 'It took over from the one before without a pause.' >"$run/how"
    step 'Node-RED: these flows only answer HTTP, so the new one starts beside the old one'
    send_requests_to "$old"
    new=$(start_more node-red 1)
    wait_until_ready "$new" node-red
    smoke_test "$new"
    step 'Switching over'
    send_requests_to "$new"
    drain "$old"
    remove 20 "$old"
    send_requests_to
  else
    echo 'The one before was stopped first; requests were answered 503 with Retry-After meanwhile.' >"$run/how"
    step 'Node-RED: two of these would do things twice, so the old one is stopped first (503 with Retry-After meanwhile)'
    touch nginx/state/maintenance
    remove 20 "$old"
    new=$(start_more node-red 1)
    wait_until_ready "$new" node-red
    smoke_test "$new"
    send_requests_to
    rm nginx/state/maintenance
  fi
}

# From here on the new version is the one that runs.
record() {
  step 'Remembering'
  rm -f "$run/reserve"
  (umask 077 && { grep -vE '^M2FP_(WORKER_)?IMAGE=' .env || true; } >.env.new)
  printf 'M2FP_IMAGE=%s\n' "$image" >>.env.new
  [ -z "$worker_image" ] || printf 'M2FP_WORKER_IMAGE=%s\n' "$worker_image" >>.env.new
  if [ -n "$former" ] && [ "$image $worker_image" != "$former $former_worker" ]; then
    printf '%s\n%s\n' "$former" "$former_worker" >.deploy/former.new
    mv .deploy/former.new .deploy/former
  fi
  mv .env.new .env
}

steps() {
  if [ -n "$former" ] && is_unsettled; then
    step 'A deploy before this one did not end: putting things right'
    (settle)
  fi
  step 'Pulling'
  pull
  step 'Workers'
  others=$(compose config --services | grep -vxE 'node-red|worker')
  # shellcheck disable=SC2086 # one word for each
  compose up -d --no-deps --no-recreate $others >"$run/compose.log" 2>&1 ||
    say "Not all of the rest of the stack runs: $(grep -i error "$run/compose.log" | head -n 1)"
  export M2FP_IMAGE="$image" M2FP_WORKER_IMAGE="$worker_image"
  [ -z "$worker_image" ] || replace_workers
  replace_node_red
  record
}

# --- back ---

# Makes what runs what .env says, from any state: so it also clears away what a killed deploy has left.
settle() {
  export M2FP_IMAGE="$former" M2FP_WORKER_IMAGE="$former_worker"
  good=$(running node-red "$former" | head -n 1)
  others=$(without "$(containers node-red --all)" "$good")
  if [ -z "$good" ]; then
    touch nginx/state/maintenance
    # shellcheck disable=SC2086 # one word for each
    remove 20 $others
    others=
    good=$(start_more node-red 1)
  fi
  wait_until_ready "$good" node-red
  send_requests_to "$good"
  rm -f nginx/state/maintenance
  for one in $others; do drain "$one"; done
  # shellcheck disable=SC2086
  remove 20 $others
  send_requests_to

  [ -n "$former_worker" ] || return 0
  good=$(running worker "$former_worker")
  others=$(without "$(containers worker --all)" "$good")
  missing=$(($(cat "$run/workers") - $(count "$good")))
  if [ "$missing" -gt 0 ]; then
    new=$(start_more worker "$missing")
    for one in $new; do wait_until_ready "$one" worker; done
  fi
  # shellcheck disable=SC2086
  remove 60 $others
}

# Whether something runs that .env does not say.
is_unsettled() {
  [ -e nginx/state/upstream.conf ] || [ -e nginx/state/maintenance ] ||
    [ -n "$(without "$(containers node-red --all)" "$(running node-red "$former")")" ] ||
    { [ -n "$former_worker" ] && [ -n "$(without "$(containers worker --all)" "$(running worker "$former_worker")")" ]; }
}

# --- how it ended ---

# Writes it in one go, so that nobody reads half of it: a word, a title, and a text from standard input.
end() {
  { printf 'outcome %s\ntitle %s\n' "$1" "$2" && sed 's/^/text /'; } >"$run/outcome.new"
  mv "$run/outcome.new" "$run/outcome"
  say "$2"
}

# Images that are neither this version nor the one before; the disk is not endless.
remove_old_images() {
  printf '%s\n%s\n' "$image" "$worker_image" >>.deploy/images
  sort -u .deploy/images | grep -vxF -e "$image" -e "$worker_image" -e "${former:--}" -e "${former_worker:--}" |
    while read -r one; do docker image rm "$one" >/dev/null 2>&1 || true; done
  # Of the folders of runs, the last twenty stay.
  find .deploy/runs -mindepth 1 -maxdepth 1 | sort -r | tail -n +21 | while read -r one; do rm -rf "$one"; done
}

# What shall run and what runs, a line each, for `run` and its steps.
plan() {
  if [ "$what" = rollback ]; then
    [ -e .deploy/former ] || fail 'there is no version before this one.'
    { read -r image && read -r worker_image; } <.deploy/former
  fi
  docker compose version >/dev/null 2>&1 || touch "$run/old-compose"
  former=$(image_of node-red M2FP_IMAGE)
  former_worker=$(image_of worker M2FP_WORKER_IMAGE)
  worker_image=${worker_image:-$former_worker}
  mkdir -p nginx/state
  workers=$(count "$(containers worker)")
  [ "$workers" -gt 0 ] || workers=2
  echo "$workers" >"$run/workers"
  printf '%s\n' "$image" "$worker_image" "$former" "$former_worker" >"$run/plan"
  # The disk may become full at the worst moment: what has to be written then takes the place of this.
  head -c 65536 /dev/zero >"$run/reserve"
}

# Where the first version fails there is none to go back to.
remove_all() {
  # shellcheck disable=SC2046 # one word for each
  remove 60 $(containers node-red --all) $(containers worker --all)
}

run() {
  began=$(date +%s)
  if ! sh "$0" plan; then
    rm -f "$run/reserve"
    end refused "the $what did not begin" <<EOF
$(cat "$run/reason" 2>/dev/null || echo 'The disk is full, or docker does not answer.') Nothing was changed.
EOF
    return
  fi
  { read -r image && read -r worker_image && read -r former && read -r former_worker; } <"$run/plan"
  export image worker_image former former_worker
  if sh "$0" steps; then
    rm -rf "$run/docker"
    remove_old_images
    end deployed "the $what is done" <<EOF
$image runs${worker_image:+, with workers of $worker_image}. $(cat "$run/how") Before: ${former:-nothing}. It took $(($(date +%s) - began)) s.
EOF
    return
  fi
  failed="It failed at \"$(cat "$run/step")\": $(cat "$run/reason" 2>/dev/null || tail -n 1 "$run/log")."
  rm -rf "$run/docker" "$run/reserve" "$run/cancel"
  if [ -z "$former" ]; then
    remove_all || true
    end broken "the $what failed, and there was no version before" <<EOF
$image is not good. $failed Nothing runs.
EOF
  elif sh "$0" settle; then
    end rolled-back "the $what failed; the version before runs" <<EOF
$image is not good. $failed ${former} runs.
EOF
  else
    end broken "the $what failed, and going back, too" <<EOF
$image is not good. $failed Going back to $former failed: $(cat "$run/reason"). See $run/log on the server.
EOF
  fi
}

# --- for deploy.sh ---

start() {
  for name in what image worker_image strategy user; do read -r "${name?}"; done
  IFS= read -r password
  [ -e compose.yaml ] || refuse 1 "There is no compose.yaml in $(pwd): docs/operating.md tells how to lay the stack there."
  exec 9>"$lock"
  flock --nonblock 9 || refuse 75 'Somebody else holds the lock.'
  if [ -n "$user" ]; then
    named=${image:-$(head -n 1 .deploy/former 2>/dev/null)}
    case $named in *.*/* | *:*/*) registry=${named%%/*} ;; *) registry= ;; esac
    (umask 077 && mkdir "$run/docker")
    # shellcheck disable=SC2086 # none for Docker Hub
    printf '%s' "$password" | docker --config "$run/docker" login --username "$user" --password-stdin $registry >"$run/login.log" 2>&1 ||
      refuse 1 "The registry $registry does not let $user in."
  fi
  unset password
  export what image worker_image strategy
  setsid sh "$0" run </dev/null >"$run/log" 2>&1 &
}

# Ends before anything has begun.
refuse() {
  echo "$2"
  rm -rf "$run"
  exit "$1"
}

follow() {
  next=$1
  while true; do
    # Asked before the log is read, so that nothing of it is left out.
    if [ -e "$run/outcome" ]; then ended=outcome; elif flock --nonblock "$lock" true; then ended=killed; else ended=; fi
    lines=$(wc -l <"$run/log")
    [ "$lines" -lt "$next" ] || sed -n "$next,${lines}s/^/log /p" "$run/log"
    next=$((lines + 1))
    if [ -n "$ended" ]; then break; fi
    sleep 1
  done
  cat "$run/outcome" 2>/dev/null || cat <<EOF
outcome broken
title the deploy was killed on the server
text What runs may be of two versions. Deploy or roll back once more: that puts things right first.
EOF
}

lock=.deploy/lock
case $1 in
  start | run | plan | steps | settle) "$1" ;;
  follow) follow "$2" ;;
esac
