#!/bin/sh
# The part of a deploy that runs on the server, in a folder .deploy/runs/RUN of the stack; deploy.sh sends and calls it.
#
#   on-server.sh start         reads what to do, takes the lock and leaves `run` behind, which no lost connection ends
#   on-server.sh follow LINE   prints the log from that line on and, when the run has ended, how
#   on-server.sh run           `steps`; when one fails, `settle`
#   on-server.sh steps         pull, workers, Node-RED
#   on-server.sh settle        back: makes what runs what .env says
#   on-server.sh recover       `settle` after a `run` that was killed; `follow` calls it
#
# .env names the version that runs. It is written when a new one has proved itself, so it is true at any moment.
set -eu
umask 022
run=$(cd "$(dirname "$0")" && pwd)
me=$run/on-server.sh
cd "$run/../../.."
# To standard error, for standard output may be what a function gives; both are the log.
say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

fail() {
  say "FAILED: $*"
  printf '%s%s' "$([ ! -s "$run/reason" ] || echo '; ')" "$*" >>"$run/reason"
  exit 1
}

# Why it failed.
reason() {
  if [ -s "$run/reason" ]; then
    cat "$run/reason"
  elif [ "$(df -P "$run" | awk 'END { print $4 }')" -lt 1024 ]; then
    echo 'the disk is full'
  else
    tail -n 1 "$run/log"
  fi
}

# Whether somebody wants it to stop. Going back is what that brings about, so nothing stops it.
is_cancelled() { [ -z "${going_back:-}" ] && [ -e "$run/cancel" ]; }

stopped_by_hand='it was stopped by hand'

step() {
  ! is_cancelled || fail "$stopped_by_hand"
  printf '%s\n' "$*" >"$run/step"
  say "$*"
}

# shellcheck source=deploy/containers.sh
. "$run/containers.sh"
# shellcheck source=deploy/steps.sh
. "$run/steps.sh"

project=$(cat "$run/project" 2>/dev/null || true)
# Seconds for a container to become ready, for requests to end, and for the registry.
ready_timeout=$(setting M2FP_READY_TIMEOUT)
drain_timeout=$(setting M2FP_DRAIN_TIMEOUT)
pull_timeout=$(setting M2FP_PULL_TIMEOUT)

# --- how it ended ---

# Writes it in one go, so that nobody reads half of it: a word, a title, and a text from standard input.
end() {
  { printf 'outcome %s\ntitle %s\n' "$1" "$2" && sed 's/^/text /'; } >"$run/outcome.new"
  mv "$run/outcome.new" "$run/outcome"
  say "$2"
}

# Images that are neither this version nor the one before, those of failed deploys, too; the disk is not endless.
remove_old_images() {
  sort -u .deploy/images | grep -vxF -e "$image" -e "$worker_image" -e "${former:--}" -e "${former_worker:--}" |
    while read -r one; do
      docker image rm "$one" >/dev/null 2>&1 || ! docker image inspect "$one" >/dev/null 2>&1 || echo "$one"
    done >.deploy/images.new
  printf '%s\n' "$image" "$worker_image" "$former" "$former_worker" | sed '/^$/d' >>.deploy/images.new
  mv .deploy/images.new .deploy/images
  # Of the folders of runs, this one and the last twenty stay, by this server's clock: their names are by that of whoever asked.
  # shellcheck disable=SC2010,SC2012 # the names are of letters, digits and -
  ls -t .deploy/runs | grep -vxF "$(basename "$run")" | tail -n +20 | while read -r one; do rm -rf ".deploy/runs/$one"; done
}

# How many workers there shall be: as many as there were, also none; those that a killed deploy has left are not counted twice.
wanted_workers() {
  workers=0
  [ -z "$former_worker" ] || workers=$(count "$(running worker "$former_worker")")
  [ "$workers" -gt 0 ] || workers=$(count "$(containers worker)")
  [ "$workers" -gt 0 ] || workers=$(count "$(containers worker --all)")
  [ -n "$former$former_worker" ] || workers=2
  echo "$workers"
}

# What shall run and what runs, a line each, for `run` and its steps.
plan() {
  if [ "$what" = rollback ]; then
    [ -e .deploy/former ] || fail 'there is no version before this one.'
    { read -r image && read -r worker_image; } <.deploy/former
  fi
  for name in M2FP_READY_TIMEOUT M2FP_DRAIN_TIMEOUT M2FP_PULL_TIMEOUT; do
    case $(setting "$name") in *[!0-9]*) fail "$name is $(setting "$name") in .env, and must be whole seconds." ;; esac
  done
  # Whoever knows nothing of what runs must not think that nothing does.
  docker ps --quiet >/dev/null 2>"$run/docker.log" || fail "docker does not answer: $(tail -n 1 "$run/docker.log")."
  if ! docker compose version >/dev/null 2>&1; then
    docker-compose version >/dev/null 2>&1 || fail 'docker has no compose here: install its plugin.'
    touch "$run/old-compose"
  fi
  project=$(project_name)
  echo "$project" >"$run/project"
  former=$(image_of node-red M2FP_IMAGE)
  former_worker=$(image_of worker M2FP_WORKER_IMAGE)
  worker_image=${worker_image:-$former_worker}
  mkdir -p nginx/state
  wanted_workers >"$run/workers"
  printf '%s\n' "$image" "$worker_image" "$former" "$former_worker" >"$run/plan"
  # The disk may become full at the worst moment: what has to be written then takes the place of this.
  head -c 65536 /dev/zero >"$run/reserve"
}

read_plan() {
  { read -r image && read -r worker_image && read -r former && read -r former_worker; } <"$run/plan"
  export image worker_image former former_worker
}

# The versions that run, whichever .env names.
what_runs() {
  running_now=
  for service in node-red worker; do
    for one in $(containers "$service"); do
      running_now="$running_now${running_now:+, }$service $(version_of "$one")"
    done
  done
  printf '%s\n' "${running_now:-neither Node-RED nor workers}"
}

# What is known where the stack could not be put right.
unsettled() {
  printf 'Going back to %s failed: %s. What runs now: %s.' "${former:-what ran before}" \
    "$(reason)" "$(what_runs)"
  [ ! -e nginx/state/maintenance ] || printf ' Until a deploy succeeds, requests are answered 503.'
  printf ' See %s/log on the server.\n' "$run"
}

# The registry's password goes with whoever ends, however.
forget_password() {
  trap 'rm -rf "$run/docker"' EXIT
  trap 'exit 1' HUP INT TERM
}

run() {
  forget_password
  began=$(date +%s)
  if ! sh "$me" plan; then
    rm -f "$run/reserve"
    end refused "the $what did not begin" <<EOF
$(reason | sed 's/[.]$//'). Nothing was changed.
EOF
    return
  fi
  read_plan
  project=$(cat "$run/project")
  printf '%s\n' "$image" "$worker_image" | sed '/^$/d' >>.deploy/images || true
  if sh "$me" steps; then
    remove_old_images
    end deployed "the $what is done" <<EOF
$image runs$([ -z "$worker_image" ] || [ "$(cat "$run/workers")" -eq 0 ] || echo ", with workers of $worker_image"). $(cat "$run/how") Before: ${former:-nothing}. It took $(($(date +%s) - began)) s.
EOF
    return
  fi
  failed="$image was to run. It failed at \"$(cat "$run/step")\": $(reason)."
  rm -rf "$run/docker" "$run/reserve" "$run/reason"
  if ! sh "$me" settle; then
    end broken "the $what failed, and going back, too" <<EOF
$failed $(unsettled)
EOF
  elif [ -z "$former" ]; then
    end broken "the $what failed, and there was no version before" <<EOF
$failed $([ -n "$former_worker" ] && echo 'No Node-RED runs, as before.' || echo 'Neither Node-RED nor workers run, as before.')
EOF
  else
    end rolled-back "the $what failed; the version before runs" <<EOF
$failed ${former} runs.
EOF
  fi
}

# After a run that was killed: what .env says, which may be the new version already.
recover() {
  say 'It was killed on this server: putting things right'
  what=$(cat "$run/what")
  read_plan
  rm -rf "$run/docker" "$run/reserve" "$run/reason"
  if [ "$image" != "$former" ] && [ "$(setting M2FP_IMAGE)" = "$image" ]; then
    former=$image
    former_worker=$worker_image
  fi
  if sh "$me" settle; then
    end rolled-back "the $what was killed on the server; things were put right" <<EOF
$image was to run. ${former:-Nothing} runs.
EOF
  else
    end broken "the $what was killed on the server, and putting things right failed" <<EOF
$image was to run. $(unsettled)
EOF
  fi
}

# --- for deploy.sh ---

start() {
  for name in what image worker_image strategy user; do read -r "${name?}"; done
  IFS= read -r password
  for program in docker flock setsid timeout; do
    command -v "$program" >/dev/null || refuse 1 "There is no $program on this server, or not in the PATH of whoever logs in by SSH."
  done
  [ -e compose.yaml ] || refuse 1 "There is no compose.yaml in $(pwd): docs/operating.md tells how to lay the stack there."
  exec 9>"$lock"
  flock -n 9 || refuse 75 'Somebody else holds the lock.'
  echo "$run" >.deploy/last
  echo "$what" >"$run/what"
  # Those of killed ones.
  rm -rf .deploy/runs/*/docker
  forget_password
  named=${image:-$(head -n 1 .deploy/former 2>/dev/null || true)}
  # Where there is none, `plan` says so.
  if [ -n "$user" ] && [ -n "$named" ]; then
    case $named in *.*/* | *:*/*) registry=${named%%/*} ;; *) registry= ;; esac
    (umask 077 && mkdir "$run/docker")
    # shellcheck disable=SC2086 # none for Docker Hub
    printf '%s' "$password" | docker --config "$run/docker" login --username "$user" --password-stdin $registry >"$run/login.log" 2>&1 ||
      refuse 1 "The registry ${registry:-of Docker} does not let $user in: $(tail -n 1 "$run/login.log")"
  fi
  unset password
  export what image worker_image strategy
  setsid sh "$me" run </dev/null >"$run/log" 2>&1 &
  # It is the run's now.
  trap - EXIT
}

# Ends before anything has begun.
refuse() {
  echo "$2"
  rm -rf "$run"
  exit "$1"
}

# Whether a killed run can be put right from here: once, and only where no other has begun since.
begin_recovery() {
  [ -e "$run/plan" ] && mkdir "$run/recovering" 2>/dev/null || return 1
  (
    exec 9>"$lock"
    flock -n 9 && [ "$(cat .deploy/last)" = "$run" ] || exit 1
    setsid sh "$me" recover </dev/null >>"$run/log" 2>&1 &
  )
}

follow() {
  next=$1
  while true; do
    # Asked before the log is read, so that nothing of it is left out.
    if [ -e "$run/outcome" ]; then ended=outcome; elif flock -n "$lock" true; then ended=killed; else ended=; fi
    # There is none while the registry is still asked to let us in.
    lines=$(wc -l 2>/dev/null <"$run/log" || echo 0)
    [ "$lines" -lt "$next" ] || sed -n "$next,${lines}s/^/log /p" "$run/log"
    next=$((lines + 1))
    if [ "$ended" = killed ] && [ ! -e "$run/outcome" ] && begin_recovery; then continue; fi
    if [ -n "$ended" ]; then break; fi
    sleep 1
  done
  if [ -e "$run/outcome" ]; then
    cat "$run/outcome"
  elif [ -e "$run/plan" ]; then
    cat <<EOF
outcome broken
title the deploy was killed on the server
text What runs may be of two versions, and requests may be answered 503. Deploy or roll back once more: that puts things right first.
EOF
  else
    cat <<EOF
outcome refused
title the deploy did not begin
text It ended on the server before it began. Nothing was changed.
EOF
  fi
}

lock=.deploy/lock
case $1 in
  start | run | plan | steps | settle | settle_node_red | settle_workers | recover) "$1" ;;
  follow) follow "$2" ;;
esac
