#!/bin/sh
# gpu_bundle.sh FOLDER LIBRARY BENCH DENO BUILD: packs FOLDER for scripts/gpu_run.sh, and the libraries of BUILD-portable and
# BUILD-racecheck where they have been made. All of it stays under 60 MiB.
set -eu
folder=$1 library=$2 bench=$3 deno=$4 build=$5
mkdir -p "$folder"
cp "$library" "$folder/libflashfftconv.so"
cp "$bench" "$folder/gpu_bench"
for other in portable racecheck; do
  rm -f "$folder/$other.so.xz"
  [ ! -e "$build-$other/libflashfftconv.so" ] || xz -2 -T0 -c "$build-$other/libflashfftconv.so" > "$folder/$other.so.xz"
done
# Packing Deno takes half a minute; once is enough for one version.
if [ ! -e "$folder/deno.xz" ] || [ "$deno" -nt "$folder/deno.xz" ]; then
  xz -6 -T0 -c "$deno" > "$folder/deno.xz.new"
  mv "$folder/deno.xz.new" "$folder/deno.xz"
fi
# What the tests import, and the types that Deno wants to see for node: imports.
packages=
for package in fast-check pure-rand @types/node undici-types; do
  [ -d "node_modules/$package" ] && packages="$packages node_modules/$package"
done
tar -cJf "$folder/node_modules.tar.xz" $packages
# The lambda phage of the Debian package bowtie2-examples; without it the test that reads it is left out.
genome=${FLASHFFTCONV_GENOME:-/usr/share/doc/bowtie2/examples/reference/lambda_virus.fa.gz}
[ ! -e "$genome" ] || cp "$genome" "$folder/lambda_virus.fa.gz"
git rev-parse HEAD > "$folder/commit.txt"
if [ -z "$(git status --porcelain --untracked-files=no)" ]; then echo 0; else echo 1; fi > "$folder/dirty.txt"
size=$(du -sm "$folder" | cut -f1)
echo "$folder: $size MiB"
[ "$size" -lt 60 ] || { echo "gpu_bundle.sh: more than 60 MiB; build with fewer ARCHS" >&2; exit 1; }
