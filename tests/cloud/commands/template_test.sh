#!/usr/bin/env bash
# The stack's template, by cfn-lint; skipped, with a line, where that is not installed (pip install cfn-lint).
set -euo pipefail
if ! command -v cfn-lint >/dev/null; then
  echo "skipped: no cfn-lint"
  exit 77
fi
cfn-lint --include-checks I --template "$1"
