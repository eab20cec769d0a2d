# shellcheck shell=sh
# What a deploy does to the stack: `steps` to the new version, `settle` back; on-server.sh reads this file.
# shellcheck disable=SC2154 # run, me and the plan are on-server.sh's

# --- the steps ---

pull() {
  for wanted in "$image" ${worker_image:+"$worker_image"}; do
    if docker image inspect "$wanted" >/dev/null 2>&1; then continue; fi
    # The registry's password lies in a configuration of this run only.
    if [ -d "$run/docker" ]; then set -- --config "$run/docker"; else set --; fi
    timeout "${pull_timeout:-900}" docker "$@" pull --quiet "$wanted" >"$run/pull.log" 2>&1 &
    pulling=$!
    while kill -0 "$pulling" 2>/dev/null; do
      if is_cancelled; then
        kill "$pulling" || true
        fail "$stopped_by_hand"
      fi
      sleep 1
    done
    code=0
    wait "$pulling" || code=$?
    if [ "$code" -eq 124 ]; then fail "$wanted could not be pulled within ${pull_timeout:-900} s"; fi
    [ "$code" -eq 0 ] ||
      fail "$wanted could not be pulled: $(tail -n 1 "$run/pull.log") ($(df -h . | awk 'END { print $4 }') of disk are free)"
  done
  rm -rf "$run/docker"
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
  [ ! -e "$run/former-is-bad" ] || return 1
  case $strategy in beside) return 0 ;; replace) return 1 ;; esac
  look=$(cat "$run/http-only.mjs")
  # Its words are what counts: an exit code of 0 has other reasons, too.
  [ "$(docker exec "$1" node --input-type=module --eval "$look")" = "$http_only" ] &&
    [ "$(docker run --rm --network none --volumes-from "$1:ro" --entrypoint node "$image" --input-type=module --eval "$look")" = "$http_only" ]
}

replace_node_red() {
  step 'Node-RED'
  old=$(containers node-red --all)
  new=$(best "$(running node-red "$image")")
  if [ -n "$new" ] && is_ready "$new"; then
    echo 'It ran already.' >"$run/how"
  else
    if [ -z "$old" ]; then
      echo 'It is the first one.' >"$run/how"
    elif may_run_beside "$(best "$(containers node-red)")"; then
      echo 'It took over from the one before without a pause.' >"$run/how"
      step "Node-RED: $([ "$strategy" = beside ] || echo 'these flows only answer HTTP, so ')the new one starts beside the old one"
      send_requests_to "$(best "$(containers node-red)")"
    else
      echo 'The one before was stopped first; requests were answered 503 with Retry-After meanwhile.' >"$run/how"
      step 'Node-RED: two of these would do things twice, so the old one is stopped first (503 with Retry-After meanwhile)'
      touch nginx/state/maintenance
      # shellcheck disable=SC2086 # one word for each
      remove 20 $old
      old=
    fi
    new=$(start_more node-red 1)
    wait_until_ready "$new" node-red
  fi
  smoke_test "$new"
  old=$(without "$old" "$new")
  if [ -n "$old" ]; then
    step 'Switching over'
    send_requests_to "$new"
    rm -f nginx/state/maintenance
    for one in $old; do drain "$one"; done
    # shellcheck disable=SC2086
    remove 20 $old
  fi
  open_to "$new"
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

# The first time all of the stack starts; later what somebody has left out stays out.
start_the_rest() {
  others=nginx
  [ -n "$former$former_worker" ] || others=$(compose config --services | grep -vxE 'node-red|worker' || true)
  # shellcheck disable=SC2086 # one word for each
  start_others $others
}

# Starts services where they do not run. Whether nginx answers is seen later.
start_others() {
  [ $# -eq 0 ] || compose up -d --no-deps --no-recreate "$@" >"$run/compose.log" 2>&1 ||
    say "Not all of the rest of the stack runs: $(grep -i error "$run/compose.log" | head -n 1)"
}

steps() {
  if [ -n "$former" ] && is_unsettled; then
    step 'A deploy before this one did not end: putting things right'
    if ! sh "$me" settle; then
      say "$former does not come back: going on with the new version"
      rm -f "$run/reason"
      touch "$run/former-is-bad"
    fi
  fi
  step 'Pulling'
  pull
  step 'Workers'
  start_the_rest
  export M2FP_IMAGE="$image" M2FP_WORKER_IMAGE="$worker_image"
  [ -z "$worker_image" ] || replace_workers
  replace_node_red
  record
}

# --- back ---

# Makes what runs what .env says, from any state: so it also clears away what a killed deploy has left. Each half in a process
# of its own: one that fails does not keep the other one from its work.
settle() {
  export going_back=yes M2FP_IMAGE="$former" M2FP_WORKER_IMAGE="$former_worker"
  failed=
  sh "$me" settle_node_red || failed=yes
  sh "$me" settle_workers || failed=yes
  [ -z "$failed" ]
}

settle_workers() {
  good=
  [ -z "$former_worker" ] || good=$(running worker "$former_worker")
  others=$(without "$(containers worker --all)" "$good")
  missing=$(($(cat "$run/workers") - $(count "$good")))
  if [ -n "$former_worker" ] && [ "$missing" -gt 0 ]; then
    new=$(start_more worker "$missing")
    for one in $new; do wait_until_ready "$one" worker; done
  fi
  # shellcheck disable=SC2086 # one word for each
  remove 60 $others
}

settle_node_red() {
  if [ -z "$former" ]; then
    # shellcheck disable=SC2046 # one word for each
    remove 20 $(containers node-red --all)
    rm -f nginx/state/upstream.conf nginx/state/maintenance
    return
  fi
  start_others nginx
  good=$(best "$(running node-red "$former")")
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
  open_to "$good"
}

# Whether something runs that .env does not say.
is_unsettled() {
  [ -e nginx/state/upstream.conf ] || [ -e nginx/state/maintenance ] ||
    [ -n "$(without "$(containers node-red --all)" "$(running node-red "$former")")" ] ||
    { [ -n "$former_worker" ] && [ -n "$(without "$(containers worker --all)" "$(running worker "$former_worker")")" ]; }
}
