#!/bin/sh
# Names every tool that is missing or too old, and how to get it, before anything is built.
# Usage: scripts/check_tools.sh [path of nvcc, or nothing for a build without CUDA]
missing=0

complain() {
  echo "missing: $1" >&2
  echo "    get it: $2" >&2
  missing=1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The pinned Deno comes as a package for this one platform; the SIMD files are x86-64 as well.
platform="$(uname -s) $(uname -m)"
[ "$platform" = "Linux x86_64" ] || complain "Linux on x86-64 (this is $platform)" "there is no build for other platforms yet"
if have ldd && ldd --version 2>&1 | grep -qi musl; then
  complain "glibc (this system has musl)" "use a distribution with glibc >= 2.27, such as Debian 12"
fi

# 18 is what Debian 12 has; older npm versions cannot read the lock file.
if ! have node; then
  complain "node >= 18" "apt-get install nodejs npm"
else
  node_major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$node_major" -ge 18 ] 2>/dev/null || complain "node >= 18 (found $(node --version))" "apt-get install nodejs npm (Debian 12 or later)"
fi
if ! have npm; then
  complain "npm >= 9" "apt-get install npm"
else
  npm_version=$(npm --version 2>/dev/null)
  [ "${npm_version%%.*}" -ge 9 ] 2>/dev/null || complain "npm >= 9 (found ${npm_version:-no version})" "apt-get install npm (Debian 12 or later)"
fi

# Built and tested with 12; C++17 is complete since 9, and what lies below 11 has not been tried.
cxx=${CXX:-g++}
if ! have "$cxx"; then
  complain "$cxx >= 11" "apt-get install g++"
else
  cxx_major=$("$cxx" -dumpversion | cut -d. -f1)
  [ "$cxx_major" -ge 11 ] 2>/dev/null || complain "$cxx >= 11 (found $("$cxx" -dumpversion))" "apt-get install g++ (Debian 12 has 12.2)"
fi

# CUDA is optional. One that is found but too old is an error, not a silent CPU build.
if [ -n "$1" ]; then
  # 12.5 is the first with cudaGetDriverEntryPointByVersion (cuda/gpu/launch.cu).
  release=$("$1" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  nvcc_version=$(echo "${release:-0 0}" | awk '{print 100 * $1 + $2}')
  [ "$nvcc_version" -ge 1205 ] || complain "nvcc >= 12.5 (found $1, release ${release:-unknown})" \
    "install the CUDA toolkit 12.5 or later, or build without CUDA: make NVCC= ..."
fi

[ "$missing" -eq 0 ] || exit 1
