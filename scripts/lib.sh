# Shared by the scripts beside it: where the tree is, how packages are installed, how tests are counted. Sourced, not run.
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export DEBIAN_FRONTEND=noninteractive
logs=$root/build/logs
mkdir -p "$logs"

# Debian 12's names.
packages_build=(g++ cmake ninja-build pkg-config libasio-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libssl-dev libre2-dev libtomlplusplus-dev
    catch2 libcli11-dev nlohmann-json3-dev libfmt-dev libbenchmark-dev)
packages_brokers=()
command -v java >/dev/null || packages_brokers+=(default-jdk-headless)
command -v mvn >/dev/null || packages_brokers+=(maven)
packages_judges=(kcat python3 python3-venv)
packages_clang=(clang-16 libclang-rt-16-dev)

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# install_missing PACKAGE...: through apt-get, and only what is not there. Where there is no apt-get, the build says what it misses.
install_missing() {
    (($#)) || return 0
    command -v apt-get >/dev/null || return 0
    local missing=() package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing: ${missing[*]}"
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "These packages are missing, and installing them needs root: ${missing[*]}"
        as_root=(sudo)
    fi
    { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
        >"$logs/apt.log" 2>&1 || { tail -n 20 "$logs/apt.log" >&2; die "apt-get could not install: ${missing[*]} (whole log: $logs/apt.log)"; }
}

# A compiler cache where there is one: builds of several kinds share what they have in common.
use_ccache() {
    command -v ccache >/dev/null || return 0
    export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache} CCACHE_NOHASHDIR=1
    # Paths are hashed as they are from the build's folder: so the second build of the same, in another folder, finds the first one's objects.
    export CCACHE_DIR=${CCACHE_DIR-$root/build/ccache} CCACHE_BASEDIR=${CCACHE_BASEDIR-$root}
}

# build PRESET [TARGET...]: quiet unless it fails.
build() {
    local preset=$1 log=$logs/build-$1.log began=$SECONDS
    shift
    local targets=()
    (($#)) && targets=(--target "$@")
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" "${targets[@]}"; } >"$log" 2>&1; then
        grep -E -m 5 -A 12 'error|FAILED|CMake Error' "$log" >&2 || tail -n 40 "$log" >&2
        say "the $preset build failed; whole log: $log" >&2
        return 1
    fi
    say "built $preset in $((SECONDS - began)) s"
}

# count_ctest LOG: reads the output of `ctest -V` and prints "PASSED FAILED SKIPPED". A test that tells its own count (Catch2's summary, or
# a line "N passed, N failed") counts as that many; any other one counts as one. A test that ctest calls failed counts at least one failure.
count_ctest() {
    awk '
        match($0, /^[0-9]+: /) {
            id = $0; sub(/:.*/, "", id); line = substr($0, RLENGTH + 1)
            if (line ~ /^All tests passed \(/ || line ~ /^[0-9]+ assertions? in [0-9]+ test cases? passed/) {
                n = line; sub(/ test cases?.*/, "", n); sub(/.* /, "", n); good[id] += n; told[id] = 1
            } else if (line ~ /^test cases: /) {
                split(line, part, "|")
                for (i in part) {
                    split(part[i], word, " ")
                    if (part[i] ~ / passed/) good[id] += word[1]
                    if (part[i] ~ / failed/ && part[i] !~ /as expected/) bad[id] += word[1]
                }
                told[id] = 1
            } else if (line ~ /^[0-9]+ passed, [0-9]+ failed/) {
                split(line, word, " "); good[id] += word[1]; bad[id] += word[3]
                if (line ~ /[0-9]+ skipped/) { n = line; sub(/ skipped.*/, "", n); sub(/.* /, "", n); skip[id] += n }
                told[id] = 1
            }
        }
        match($0, /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /) {
            id = substr($0, RSTART, RLENGTH); sub(/.*#/, "", id); sub(/:.*/, "", id)
            seen++
            if ($0 ~ /Skipped|Not Run \(Disabled\)/) { skipped++; next }
            passed += good[id]; failed += bad[id]; skipped += skip[id]
            if ($0 ~ /  Passed /) { if (!told[id]) passed++ }
            else if (!bad[id]) failed++
        }
        END { if (seen) print passed + 0, failed + 0, skipped + 0 }
    ' "$1"
}
