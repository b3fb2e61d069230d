#!/bin/sh
# In the root that builds: source and packages into /out. Another time zone, locale and umask for each folder, so that
# they, too, may not show.
#   build.sh FOLDER
set -eu
cd "$1"
mkdir -p /out
if [ "$1" != /build/intmill ]; then
  export TZ=Pacific/Kiritimati LC_ALL=C
  umask 027
fi
dpkg-buildpackage --no-sign --build=full --jobs=auto >/out/build.log 2>&1 || { tail -80 /out/build.log; exit 1; }
mv ../intmill_* ../*.deb /out
