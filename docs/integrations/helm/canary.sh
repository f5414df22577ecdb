#!/usr/bin/env bash
# A canary by Helm (runbook 001, 2.2 step 3 and 3.1): deploy it, watch it, then promote it or roll it back.
#
#   canary.sh SERVICE CHART NEW_VERSION
#
# Exit status: 0 promoted; 1 rolled back, and verified; 2 wrong usage, or it may not begin; 6 not known, the canary is
# left as it is; 8 half done, somebody must look now; 130 interrupted.
set -euo pipefail

if [[ $# -ne 3 || -z $1 || -z $2 || -z $3 ]]; then
  echo "usage: $0 SERVICE CHART NEW_VERSION" >&2
  exit 2
fi
service=$1 chart=$2 new=$3
namespace=${NAMESPACE:-production}
profile=${PROFILE:-factory-ai/production}
weight=${WEIGHT:-10}
watches=${WATCHES:-2} # how often it is watched before it is left as not known
reports=${REPORTS:-reports/canary}/$new-$(date -u +%Y%m%dT%H%M%SZ)-$$
rollout=${ROLLOUT:-10m}
attest=${ATTEST:-} # answers of people to what no probe can see, for the verification of a roll-back
export NEW_VERSION=$new # for the profile: canary: {track: canary, version: "${NEW_VERSION}"}

doing="nothing yet"
child=

say() { echo "canary.sh: $*" >&2; }

field() { # a value out of JSON, by its keys
  python3 -c 'import json, sys
found = json.load(sys.stdin)
for key in sys.argv[1:]: found = found[key]
print(found)' "$@"
}

by_hand() {
  say "promote:   helm upgrade $service $chart --set canary.enabled=true --set canary.weight=100 --set image.tag=$new -n $namespace"
  say "roll back: helm rollback $service $revision -n $namespace, then pytest -m recovery --profile=$profile --stable-for=5m --expect-version=$old"
}

interrupted() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then # let it write its report: an interrupted watch is inconclusive
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" || true
  fi
  say "interrupted while $doing; nothing is done after it"
  if [[ -n ${old:-} ]]; then by_hand; fi
  exit 130
}
trap interrupted INT TERM HUP

checked() { # run pytest; a signal to this script ends it in order, and it may still ask at the terminal
  status=0
  "$@" <&0 &
  child=$!
  wait "$child" || status=$?
  child=
}

half_done() {
  say "$1: LOOK NOW"
  by_hand
  exit 8
}

roll_back() {
  say "rolling back to revision $revision ($old): $1"
  doing="rolling back"
  trap '' INT TERM HUP # half a roll-back is worse than a late one
  helm rollback "$service" "$revision" -n "$namespace" --wait --timeout "$rollout" || half_done "helm rollback failed"
  kubectl rollout status "deployment/$service" -n "$namespace" --timeout="$rollout" || half_done "the roll-out does not end"
  trap interrupted INT TERM HUP
  doing="verifying the roll-back"
  checked pytest -m recovery --profile="$profile" --expect-version="$old" --stable-for=5m --deadline=30m \
    ${attest:+"--attest=$attest"} --reports="$reports/recovery"
  if [[ $status -ne 0 ]]; then half_done "rolled back, and not recovered (status $status)"; fi
  say "rolled back to $old, and recovered; why: $reports"
  exit 1
}

# What is there now is what a roll-back goes back to: know it before anything is changed.
doing="reading what is deployed"
if ! before=$(helm status "$service" -n "$namespace" -o json) || ! values=$(helm get values "$service" -n "$namespace" --all -o json) ||
  ! revision=$(field version <<<"$before") || ! state=$(field info status <<<"$before") || ! old=$(field image tag <<<"$values"); then
  say "what is deployed cannot be read, so nothing could be rolled back to; nothing was changed"
  exit 2
fi
if [[ $state != deployed ]]; then
  say "revision $revision of $service is $state, not deployed; mend that first; nothing was changed"
  exit 2
fi

doing="deploying the canary"
helm upgrade "$service" "$chart" \
  --set canary.enabled=true --set "canary.weight=$weight" --set "image.tag=$new" \
  -n "$namespace" --wait --timeout "$rollout" || roll_back "the canary of $new could not be deployed"

for ((watch = 1; watch <= watches; watch++)); do
  doing="watching the canary ($watch of $watches)"
  seen=$reports/watch-$watch
  checked pytest -m canary_criteria --profile="$profile" --reports="$seen"
  if [[ $status -eq 1 ]]; then roll_back "the canary violates its criteria"; fi
  if [[ $status -ne 6 ]]; then break; fi
  say "watch $watch of $watches: not known"
done

# 0 alone is not enough: checks that pass without a canary having been watched leave no verdict.
answer=$(field answer <"$seen/latest/verdict.json" 2>/dev/null) || answer="no verdict"
if [[ $status -ne 0 || $answer != promote ]]; then
  say "NOT KNOWN (status $status, $answer): the canary keeps $weight % of the traffic until somebody decides; see $reports"
  by_hand
  exit 6
fi

doing="promoting"
helm upgrade "$service" "$chart" \
  --set canary.enabled=true --set canary.weight=100 --set "image.tag=$new" \
  -n "$namespace" --wait --timeout "$rollout" || half_done "the promotion failed"
kubectl rollout status "deployment/$service" -n "$namespace" --timeout="$rollout" || half_done "the roll-out does not end"
doing="verifying the promotion"
checked pytest -m smoke --profile="$profile" --expect-version="$new" --wait-ready=120s --reports="$reports/smoke"
if [[ $status -ne 0 ]]; then half_done "promoted, and the gate is not green (status $status)"; fi
say "promoted: $new"
