#!/bin/sh
# A flow that leaves a mark of each of its attempts, for tests:
#   marker_flow.sh FILE quick|sleep SECONDS|exit CODE|ignore-term SECONDS|lines COUNT|flood SECONDS|child SECONDS
# Appends `run attempt epoch pid process-start-time start|end|term nanoseconds` to FILE, one write a line.
# MARKER_WORK in the environment replaces the words after FILE.
file=$1
shift
# The words are meant to be split.
# shellcheck disable=SC2086
[ -n "${MARKER_WORK:-}" ] && set -- $MARKER_WORK

read -r stat </proc/$$/stat
# shellcheck disable=SC2086
began=$(set -- $stat && echo "${22}")

mark() {
  # A signal to the process group can end `date` before it ends this shell.
  now=$(date +%s%N) || now=$(date +%s%N)
  printf '%s %s %s %s %s %s %s\n' \
    "$FOREBAY_RUN_ID" "$FOREBAY_ATTEMPT" "$FOREBAY_EPOCH" $$ "$began" "$1" "$now" >>"$file"
}

mark start
case $1 in
  quick) ;;
  sleep)
    sleep "$2" &
    trap 'mark term; kill $! 2>/dev/null; exit 143' TERM
    wait $!
    ;;
  exit)
    mark end
    exit "$2"
    ;;
  ignore-term)
    trap 'mark term' TERM
    end=$(($(date +%s) + $2))
    while [ "$(date +%s)" -lt "$end" ]; do sleep 0.2; done
    ;;
  child)
    # A grandchild in a session of its own, which a signal to the process group does not reach.
    setsid sh -c 'trap "" TERM; sleep '"$2"'' &
    trap 'mark term; exit 143' TERM
    wait
    ;;
  lines)
    i=0
    while [ "$i" -lt "$2" ]; do
      echo "line $i of $2"
      i=$((i + 1))
    done
    ;;
  flood)
    timeout "$2" head -c 100000000000 /dev/zero | tr '\0' 'x' | fold -w 100
    ;;
esac
mark end
