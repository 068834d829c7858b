#!/usr/bin/env bash
# The stack's template, by cfn-lint; skipped, with a line, where that is not installed (cmake/install_peers.sh
# build/peers).
set -euo pipefail
PATH="$(dirname "$0")/../../../build/peers/bin:$PATH"
if ! command -v cfn-lint >/dev/null; then
  echo "skipped: no cfn-lint"
  exit 77
fi
cfn-lint --include-checks I --template "$1"
