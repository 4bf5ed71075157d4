#!/bin/sh
# Installs the dyno server as a systemd service, from the folder that `cargo xtask dist` makes:
#   sudo sh deploy/install.sh
# Run it again to install another release: settings and tokens are kept. With DESTDIR=FOLDER, everything is put below that folder
# and the system is left alone: no user is made and no service is started.
set -eu
umask 022

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
release=${RELEASE:-$(dirname -- "$here")}
root=${DESTDIR:-}
program=$root/opt/dyno
settings=$root/etc/dyno

[ -x "$release/dyno" ] || fail "there is no program \`dyno\` in $release; run this script from the folder that \`cargo xtask dist\` makes"
if [ -z "$root" ]; then
    [ "$(id -u)" -eq 0 ] || fail "installing a service needs root: run it with sudo, or give DESTDIR=FOLDER to see what it installs"
    command -v systemctl > /dev/null || fail "there is no systemd here; see deploy/Containerfile for a container"
fi

# The user of the service, and the folder of leases that all users of the machine share.
install -D -m 644 "$here/dyno.sysusers" "$root/etc/sysusers.d/dyno.conf"
install -D -m 644 "$here/dyno.tmpfiles" "$root/etc/tmpfiles.d/dyno.conf"
if [ -z "$root" ]; then
    systemd-sysusers /etc/sysusers.d/dyno.conf
    systemd-tmpfiles --create /etc/tmpfiles.d/dyno.conf
fi

# The program, which nobody but root may change: profile `server` checks that.
if [ "$release" != "$program" ]; then
    rm -rf "$program.new"
    mkdir -p "$program.new"
    cp -R "$release/." "$program.new"
    rm -rf "$program"
    mv "$program.new" "$program"
fi
[ -n "$root" ] || chown -R root:root "$program"
chmod -R go-w "$program"
# Profile `server` runs only plugins that are signed or in a lock file: those of this release are trusted as they are.
"$program/dyno" lock "$program/plugins" > /dev/null

# Settings and tokens, which are the operator's from then on.
install -d -m 755 "$settings"
[ -e "$settings/dyno.toml" ] || install -m 644 "$here/dyno.toml" "$settings/dyno.toml"
if [ ! -e "$settings/tokens.toml" ]; then
    (
        umask 077
        for entry in operator:admin ci:run dashboard:read; do
            printf '[[token]]\nname = "%s"\nscope = "%s"\ntoken = "%s"\n\n' \
                "${entry%:*}" "${entry#*:}" "$(head -c 24 /dev/urandom | base64)"
        done > "$settings/tokens.toml.new"
    )
    if [ -z "$root" ]; then
        chown root:dyno "$settings/tokens.toml.new"
        chmod 640 "$settings/tokens.toml.new"
    fi
    mv "$settings/tokens.toml.new" "$settings/tokens.toml"
fi

install -D -m 644 "$here/dyno.service" "$root/etc/systemd/system/dyno.service"
if [ -z "$root" ]; then
    systemctl daemon-reload
    systemctl enable dyno
    systemctl restart dyno
fi
printf 'installed: program %s, settings %s/dyno.toml, tokens %s/tokens.toml\n' "$program" "$settings" "$settings"
