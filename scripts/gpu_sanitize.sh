#!/bin/sh
# gpu_sanitize.sh LIBRARY OUT: compute-sanitizer's tools over a few small cases of every compiled instance, and the proof
# that these cases launch every device function of the library. A line per tool goes to OUT/sanitize.jsonl. TOOLS="racecheck"
# runs one of them, LIMIT=500 gives each more seconds (the default is for one tool at a time; all together took 430, the profiler longest),
# RACE_PARTS=8 racecheck more processes.
set -u
library=$1 out=$2
bench=.gpu/bundle/gpu_bench
PATH=$PATH:/usr/local/cuda/bin
commit=$(cat .gpu/bundle/commit.txt) dirty=$(cat .gpu/bundle/dirty.txt)
device=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -1)
: > "$out/sanitize.jsonl"

# line CHECK OK CASES REPORT
line() {
  printf '{"commit":"%s","dirty":%s,"device":"%s","check":"%s","ok":%s,"cases":%s,"report":"%s"}\n' "$commit" \
    "$([ "$dirty" = 1 ] && echo true || echo false)" "$device" "$1" "$2" "$3" "$4" | tee -a "$out/sanitize.jsonl"
}

# Most of the time goes to the host's side of each tool, so all run at once, each in several processes that share its cases;
# racecheck takes longest. A tool that is not through its cases after `limit` seconds says how many it left, and has failed.
limit=${LIMIT:-70}
tools=${TOOLS:-memcheck racecheck synccheck initcheck coverage}

# The library that racecheck can follow (make racecheck-lib), where the bundle has it: the other one has races for it.
traced=$PWD/.gpu/racecheck.so
if [ -e .gpu/bundle/racecheck.so.xz ]; then xz -dc .gpu/bundle/racecheck.so.xz > "$traced"; else traced=$library; fi

# part TOOL I/N: those cases under that tool. Its exit status goes to TOOL.I.status.
part() {
  name=$out/$1.${2%/*}
  [ "$1" = racecheck ] && its=$traced || its=$library
  compute-sanitizer --tool "$1" --error-exitcode 9 $bench --lib "$its" --cover --seconds "$limit" --part "$2" \
    --out "$name.jsonl" > "$name.txt" 2>&1
  echo $? > "$name.status"
}

# whole TOOL N: all parts, then their line.
whole() {
  for i in $(seq 0 $(($2 - 1))); do part "$1" "$i/$2" & done
  wait
  ok=true passed=0 reports=
  for i in $(seq 0 $(($2 - 1))); do
    count=$(grep -o '^[0-9]* passed, .*' "$out/$1.$i.txt" | tail -1)  # N passed, M failed[, K not run (time)]
    cases=${count%% *}
    report=$(sed -n 's/^=* *\(.*SUMMARY: .*\)$/\1/p' "$out/$1.$i.txt" | tail -1)
    reports="$reports${reports:+ | }$report; ${count:-no case ended}"
    passed=$((passed + ${cases:-0}))
    [ "$(cat "$out/$1.$i.status")" -eq 0 ] && [ "$count" = "$cases passed, 0 failed" ] && [ "$cases" -gt 0 ] && [ -n "$report" ] || {
      ok=false
      tail -n 15 "$out/$1.$i.txt"
    }
  done
  line "$1" $ok $passed "$reports"
}

for tool in $tools; do
  case $tool in
    coverage) ;;
    racecheck) whole racecheck ${RACE_PARTS:-5} & ;;
    *) whole "$tool" 2 & ;;
  esac
done
if [ "${tools%coverage}" != "$tools" ]; then
  ncu --metrics launch__block_size --print-kernel-base mangled --csv --page raw --cache-control none --clock-control none \
    $bench --lib "$library" --cover --seconds "$limit" --out "$out/cover.jsonl" > "$out/launches.csv" 2>&1
  # Every device function of the library, and those that the profiler saw.
  cuobjdump -res-usage "$library" 2>&1 | sed -n 's/^ *Function \(.*\):$/\1/p' | sort -u > "$out/functions.txt"
  grep -o '"_Z[A-Za-z0-9_]*"' "$out/launches.csv" | tr -d '"' | sort -u > "$out/launched.txt"
  comm -23 "$out/functions.txt" "$out/launched.txt" > "$out/never_launched.txt"
  count=$(wc -l < "$out/functions.txt") missing=$(wc -l < "$out/never_launched.txt")
  ok=false
  [ "$count" -gt 0 ] && [ "$missing" -eq 0 ] && ok=true
  line coverage $ok "$(wc -l < "$out/cover.jsonl")" "$((count - missing)) of $count device functions launched"
  head -20 "$out/never_launched.txt"
fi
wait
set -- $tools
! grep -q '"ok":false' "$out/sanitize.jsonl" && [ "$(wc -l < "$out/sanitize.jsonl")" -eq $# ]
