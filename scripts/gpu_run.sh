#!/bin/sh
# gpu_run.sh OUT [check|speed|peers|tests ...]: on the GPU machine, from the root of a copy of this tree with
# .gpu/bundle in it. Default: everything. Result files go to OUT; the exit status says whether all passed.
set -u
out=$1
shift
steps=${*:-"check tests speed peers"}
bundle=.gpu/bundle
mkdir -p "$out"
commit=$(cat $bundle/commit.txt) dirty=$(cat $bundle/dirty.txt)
library=$PWD/$bundle/libflashfftconv.so
failed=0

for step in $steps; do
  case $step in
    check)  # every mode, dtype and length against float64, outputs poisoned
      $bundle/gpu_bench --lib "$library" --check --out "$out/check.jsonl" > "$out/check.txt" 2>&1 || failed=1
      tail -15 "$out/check.txt" ;;
    speed)
      $bundle/gpu_bench --lib "$library" --speed --commit "$commit" --dirty "$dirty" --out "$out/speed.jsonl" \
        > "$out/speed.txt" 2>&1 || failed=1
      tail -3 "$out/speed.txt" ;;
    peers)
      python3 bench/gpu/peers.py --commit "$commit" --dirty "$dirty" --out "$out/peers.jsonl" > "$out/peers.txt" 2>&1 || failed=1
      tail -3 "$out/peers.txt" ;;
    tests)
      [ -x .gpu/deno ] || xz -dc $bundle/deno.xz > .gpu/deno
      chmod +x .gpu/deno
      [ -d node_modules/fast-check ] || tar -xJf $bundle/node_modules.tar.xz
      DENO_NO_UPDATE_CHECK=1 FLASHFFTCONV_LIBRARY=$library FLASHFFTCONV_GENOME=$bundle/lambda_virus.fa.gz .gpu/deno test --allow-ffi --allow-read --allow-env \
        --junit-path="$out/tests.xml" tests/gpu > "$out/tests.txt" 2>&1 || failed=1
      tail -15 "$out/tests.txt" ;;
    *)
      echo "gpu_run.sh: unknown step $step" >&2
      failed=1 ;;
  esac
done
exit $failed
