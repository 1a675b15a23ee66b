#!/bin/sh
# gpu_run.sh OUT [check|speed|sparse|peers|tests|sanitize|portable|sweep|lengths|enqueue|calibrate ...]: on the GPU machine,
# from the root of a copy of this tree with .gpu/bundle in it. Default: check, tests, speed and peers. Result files go to
# OUT; the exit status says whether all passed.
set -u
out=$1
shift
steps=${*:-"check tests speed peers"}
bundle=.gpu/bundle
mkdir -p "$out"
commit=$(cat $bundle/commit.txt) dirty=$(cat $bundle/dirty.txt)
library=$PWD/$bundle/libflashfftconv.so
failed=0

unpack_deno() {
  [ -x .gpu/deno ] || xz -dc $bundle/deno.xz > .gpu/deno
  chmod +x .gpu/deno
  [ -d node_modules/fast-check ] || tar -xJf $bundle/node_modules.tar.xz
}

# deno_tests LIBRARY NAME: all GPU tests with that library; results go to NAME.txt and NAME.xml. Files run side by side, because
# most of their time is float64 on one core each; six at once, so that they have device memory enough for the longest rows.
deno_tests() {
  unpack_deno
  DENO_NO_UPDATE_CHECK=1 DENO_JOBS=6 FLASHFFTCONV_LIBRARY=$1 FLASHFFTCONV_GENOME=$bundle/lambda_virus.fa.gz .gpu/deno test --parallel \
    --allow-ffi --allow-read --allow-env --junit-path="$out/$2.xml" tests/gpu > "$out/$2.txt" 2>&1 || failed=1
  tail -15 "$out/$2.txt"
}

for step in $steps; do
  case $step in
    check)  # every mode, dtype and length against float64, outputs poisoned
      $bundle/gpu_bench --lib "$library" --check --out "$out/check.jsonl" > "$out/check.txt" 2>&1 || failed=1
      tail -15 "$out/check.txt" ;;
    speed)
      $bundle/gpu_bench --lib "$library" --speed --without /sparse- --commit "$commit" --dirty "$dirty" \
        --out "$out/speed.jsonl" > "$out/speed.txt" 2>&1 || failed=1
      tail -3 "$out/speed.txt"
      $bundle/gpu_bench --lib "$library" --in-row --without float32 --filter B64/H768/L --commit "$commit" --dirty "$dirty" \
        --out "$out/in-row.jsonl" > "$out/in-row.txt" 2>&1 || failed=1
      tail -3 "$out/in-row.txt" ;;
    sparse)  # frequency-sparse plans beside dense ones
      $bundle/gpu_bench --lib "$library" --speed --filter /sparse- --commit "$commit" --dirty "$dirty" \
        --out "$out/sparse.jsonl" > "$out/sparse.txt" 2>&1 || failed=1
      tail -3 "$out/sparse.txt" ;;
    peers)  # and how much faster this library is, where this run has timed it
      python3 bench/gpu/peers.py --commit "$commit" --dirty "$dirty" --out "$out/peers.jsonl" > "$out/peers.txt" 2>&1 || failed=1
      tail -3 "$out/peers.txt"
      [ ! -e "$out/speed.jsonl" ] || {
        unpack_deno
        DENO_NO_UPDATE_CHECK=1 .gpu/deno run --allow-read --allow-write bench/gpu/against_peer.ts "$out/speed.jsonl" \
          "$out/peers.jsonl" "$out/against_peer.md" || failed=1
      } ;;
    sweep|lengths|enqueue)  # each candidate by force; time per sample from length to length; what a call costs here
      unpack_deno
      set=$([ $step = sweep ] && echo all || echo $step)
      DENO_NO_UPDATE_CHECK=1 FLASHFFTCONV_LIBRARY=$library .gpu/deno run --allow-ffi --allow-read --allow-write --allow-env \
        bench/planner/sweep.ts cuda --set "$set" --commit "$commit" --dirty "$dirty" --out "$out/$step.jsonl" \
        > "$out/$step.txt" 2>&1 || failed=1
      tail -60 "$out/$step.txt" ;;
    calibrate)  # the constants of this device, measured as a user would
      unpack_deno
      DENO_NO_UPDATE_CHECK=1 FLASHFFTCONV_LIBRARY=$library .gpu/deno run --allow-ffi --allow-read --allow-write --allow-env \
        scripts/calibrate.ts cuda --file "$out/constants.json" > "$out/calibrate.txt" 2>&1 || failed=1
      tail -5 "$out/calibrate.txt" ;;
    tests)
      deno_tests "$library" tests ;;
    sanitize)  # a case of every instance under each tool, and a list of the device functions that these cases launch
      sh scripts/gpu_sanitize.sh "$library" "$out" || failed=1 ;;
    portable)  # the code of compute capability 8.0 with the shared memory of an A100 and of an RTX card, over all tests
      portable=$PWD/.gpu/portable.so
      xz -dc $bundle/portable.so.xz > "$portable"
      for kilobytes in 163 99; do
        $bundle/gpu_bench --lib "$portable" --check --portable --shared-kb $kilobytes --out "$out/portable$kilobytes.jsonl" \
          > "$out/portable$kilobytes.txt" 2>&1 || failed=1
        tail -15 "$out/portable$kilobytes.txt"
        export FLASHFFTCONV_TEST_PORTABLE=1 FLASHFFTCONV_TEST_SHARED_KB=$kilobytes
        deno_tests "$portable" "portable_tests$kilobytes"
        unset FLASHFFTCONV_TEST_PORTABLE FLASHFFTCONV_TEST_SHARED_KB
      done
      # The PTX itself, through the driver's compiler, with the families that it takes seconds to compile.
      CUDA_FORCE_PTX_JIT=1 $bundle/gpu_bench --lib "$portable" --check --portable --shared-kb 99 --filter float32/direct \
        --out "$out/portable_jit.jsonl" > "$out/portable_jit.txt" 2>&1 || failed=1
      tail -3 "$out/portable_jit.txt" ;;
    *)
      echo "gpu_run.sh: unknown step $step" >&2
      failed=1 ;;
  esac
done
exit $failed
