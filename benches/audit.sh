#!/usr/bin/env bash
# `audit -A` of 1,000 namespaces with 10,000 Secrets and 5,000 Ingresses, in one run against the test bed's API server:
# wall time, peak memory and requests of whole processes, the median of RUNS.
#
#   benches/audit.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --release
exec tests/e2e/bed/with-bed.sh python3 benches/audit.py "${1:-3}"
