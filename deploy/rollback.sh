#!/usr/bin/env bash
# Goes back to the version that ran before this one, as carefully as a deploy: deploy.sh tells what it reads from the
# environment (no IMAGE, no WORKER_IMAGE). Once more, and the newer one is back.
exec "$(dirname "$0")/deploy.sh" --rollback
