#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the model from nothing, or goes on where it stopped. See README.md.
#   train.sh [start]   environment, first scenes, then trainer and generator in the background
#   train.sh stop      both save and end
#   train.sh status    what runs, the last lines of the log
# Arguments after start go to train.py. Variables: MINUTES (end after so long, default: until
# stopped), SCENES (drawn before the start), GENERATORS and DUTY (how many processes go on
# drawing, and which share of their time).
set -euo pipefail
cd "$(dirname "$0")"
py=.venv/bin/python
running() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

case "${1:-start}" in
start)
  if running runs/train.pid; then echo "already running"; exit 0; fi
  [ -f .venv/ready ] || { python3 -m venv .venv; .venv/bin/pip install -q -r requirements.txt; touch .venv/ready; }
  mkdir -p runs cache
  rm -f runs/stop cache/stop
  cores=$(nproc) # before the export: nproc heeds OMP_NUM_THREADS
  export OMP_NUM_THREADS=1
  # Memory once taken is kept, in huge pages: a fourteenth of a step is saved.
  export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4000000000:glibc.malloc.trim_threshold=8000000000:glibc.malloc.top_pad=1073741824
  if ! running cache/generate.pid; then
    for ((i = 0; i < cores; i++)); do
      nice -n 19 $py generate.py --worker "$i" --until "${SCENES:-3000}" &
    done
    wait
    nohup setsid nice -n 19 bash -c '
      for ((i = 0; i < $1; i++)); do '"$py"' generate.py --worker "$i" --duty "$2" & done; wait
    ' generators "${GENERATORS:-1}" "${DUTY:-0.25}" >>runs/generate.log 2>&1 &
    echo $! >cache/generate.pid
  fi
  extra=("${@:2}")
  [ -n "${MINUTES:-}" ] && extra+=(--minutes "$MINUTES")
  nohup setsid nice -n 19 $py train.py "${extra[@]}" >>runs/train.log 2>&1 &
  echo $! >runs/train.pid
  echo "training in the background: tail -f $(pwd)/runs/train.log"
  ;;
stop)
  touch runs/stop cache/stop
  while running runs/train.pid || running cache/generate.pid; do sleep 1; done
  echo "stopped"
  ;;
status)
  running runs/train.pid && echo "trainer runs" || echo "trainer does not run"
  running cache/generate.pid && echo "generator runs" || echo "generator does not run"
  tail -n 3 runs/train.log 2>/dev/null || true
  tail -n 1 runs/curve.jsonl 2>/dev/null || true
  ;;
*) echo "usage: train.sh [start|stop|status]" >&2; exit 2 ;;
esac
