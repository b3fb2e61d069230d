#!/bin/sh
# In the root that built: no error and no warning but those that an override explains, and hardening flags everywhere.
#   lint.sh FOLDER_OF_PACKAGES
set -eu
cd "$1"
lintian --version
lintian --allow-root --fail-on error,warning --info --display-info --pedantic ./*.changes
# JNI headers and classes are no compilations; everything else is.
blhc --all ./build.log
echo "packages: lintian and blhc have nothing to say of $(find . -name '*.deb' | wc -l) packages"
