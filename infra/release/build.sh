#!/usr/bin/env sh
# The package of a release, built once. What it is goes to stdout, a line each: version=…, sha256=…
set -eu

make release >&2
package=.localcloud/package.zip
version=$(python3 -m infra.release version "$package") # by itself: what fails within an echo stops nobody
sha256=$(sha256sum "$package")
echo "version=$version"
echo "sha256=${sha256%% *}"
