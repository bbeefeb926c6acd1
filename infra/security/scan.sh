#!/usr/bin/env sh
# Scans for pipelines and for hands:
#
#     sh infra/security/scan.sh dependencies    # libraries with known holes, by what PyPI and npm know today
#     sh infra/security/scan.sh secrets         # keys, tokens and passwords anywhere in the history
#
# The scanners come into an environment of their own, each file by its checksum (requirements.txt beside this).
set -eu

here=infra/security
tools=.localcloud/security
if [ ! -f "$here/scan.sh" ]; then
  echo "Run it at the root of the repository." >&2
  exit 2
fi

"${PYTHON:-python3}" -m venv --clear "$tools"
"$tools/bin/python" -m pip install --quiet --require-hashes --only-binary :all: --requirement "$here/requirements.txt"

case "${1:-}" in
  dependencies)
    status=0
    for file in requirements.txt requirements-dev.txt localcloud/azurite/requirements.txt "$here/requirements.txt"; do
      echo "$file"
      "$tools/bin/pip-audit" --strict --no-deps --disable-pip --requirement "$file" || status=1
    done
    (cd localcloud/azurite && npm audit --package-lock-only --audit-level=high) || status=1
    exit "$status" ;;
  secrets) exec "$tools/bin/python" -m infra.security.leaks ;;
  *)
    echo "Say what to scan: dependencies or secrets." >&2
    exit 2 ;;
esac
