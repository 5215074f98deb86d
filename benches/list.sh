#!/usr/bin/env bash
# `list -A` with 10,000 routing secrets beside kubectl, in one run against the test bed's API server: wall time and peak
# memory of whole processes, the median of RUNS.
#
#   benches/list.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --release
exec tests/e2e/bed/with-bed.sh python3 benches/list.py "${1:-5}"
