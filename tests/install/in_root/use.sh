#!/usr/bin/env bash
# In the root that uses the packages of /srv/packages: one step of the test.
#   use.sh install | test NAME | remove
set -euo pipefail
cd /srv
export DEBIAN_FRONTEND=noninteractive

files() {  # all names, but of what apt and dpkg keep for themselves
  find / -xdev \( -path /proc -o -path /dev -o -path /root -o -path /srv -o -path /tmp -o -path /var/cache -o -path /var/log \
    -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -printf '%y %m %p %l\n' | sort
}

installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' | sort; }

install() {
  (cd packages && dpkg-scanpackages --multiversion . >Packages)
  echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list.d/intmill.list
  apt-get update -qq
  files >files.before
  installed >installed.before
  apt-get install -y --no-install-recommends intmill-doc intmill-tools libintmill-dev libintmill-java python3-intmill
  dpkg --audit
  dpkg --verify
  ldconfig -p | grep libintmill.so.0
  installed | grep intmill | sed 's/^/packages: /'
}

run_test() {
  tmp=$(mktemp -d)
  cd source
  PYTHONDONTWRITEBYTECODE=1 AUTOPKGTEST_TMP=$tmp "debian/tests/$1"
}

remove() {
  apt-get purge -y --autoremove '?name(intmill)'
  installed | diff installed.before -
  files | diff files.before -
  if find / -xdev -name '*intmill*' -not -path '/srv/*' -not -path '/tmp/*' -not -path '/var/lib/apt/lists/*' \
    -not -path /etc/apt/sources.list.d/intmill.list | grep .; then
    exit 1
  fi
  echo "packages: nothing is left of them"
}

case "$1" in
  install) install ;;
  test) run_test "$2" ;;
  remove) remove ;;
esac
