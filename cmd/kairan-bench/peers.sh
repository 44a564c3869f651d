#!/bin/sh
# Installs Debian's mailman3 and mlmmj and makes lists of both, with the bench's members, for
#
#	cmd/kairan-bench/peers.sh /var/tmp/peers
#	go run ./cmd/kairan-bench -run peers -peers /var/tmp/peers
#
# usage: peers.sh FOLDER [MEMBERS]
#
# It needs root for apt-get, and some minutes: Mailman takes 12 ms to add a member. Nothing is started, and nothing outside of
# FOLDER is configured; remove FOLDER and the two packages to be rid of it all. All mail goes to the bench's sink on loopback.
set -eu
[ $# -ge 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
members=${2:-7000}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
bench=$(cd "$(dirname "$0")/../.." && pwd)
sink=2600 lmtp=8024 # as in peers.go

if ! command -v mlmmj-receive >/dev/null || [ ! -x /usr/lib/mailman3/bin/master ]; then
	echo "mailman3 mailman3/dbconfig-install boolean false" | debconf-set-selections
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mailman3 mlmmj
fi
(cd "$bench" && go run ./cmd/kairan-bench members "$members") >"$dir/members.txt"

# mlmmj: a list is a folder. Without control/verp it makes a VERP sender of its own for each copy; with an empty one it
# sends to 100 recipients at a time.
for kind in verp bulk; do
	list=$dir/mlmmj-$kind
	rm -rf "$list"
	for sub in incoming queue/discarded archive text subconf unsubconf bounce control moderation subscribers.d digesters.d requeue nomailsubs.d; do
		mkdir -p "$list/$sub"
	done
	echo "$kind@lists.example.jp" >"$list/control/listaddress"
	echo postmaster@lists.example.jp >"$list/control/owner"
	echo 127.0.0.1 >"$list/control/relayhost"
	echo $sink >"$list/control/smtpport"
	: >"$list/control/subonlypost"
	: >"$list/control/noarchive"
	[ $kind = verp ] || : >"$list/control/verp"
	awk -v dir="$list/subscribers.d/" '{ print > (dir substr($0, 1, 1)) }' "$dir/members.txt"
done

# Mailman: a database and a configuration of its own, Debian's defaults otherwise.
rm -rf "$dir/mailman"
mkdir -p "$dir/mailman/var"
cat >"$dir/mailman/mailman.cfg" <<END
[mailman]
layout: here
site_owner: postmaster@lists.example.jp
[paths.here]
var_dir: $dir/mailman/var
bin_dir: /usr/lib/mailman3/bin
log_dir: $dir/mailman/var/logs
etc_dir: $dir/mailman
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:///$dir/mailman/var/mailman.db
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
smtp_host: 127.0.0.1
smtp_port: $sink
lmtp_host: 127.0.0.1
lmtp_port: $lmtp
[webservice]
port: 8991
END
mailman() { /usr/lib/mailman3/bin/mailman -C "$dir/mailman/mailman.cfg" --run-as-root "$@"; }
for kind in bulk individual; do
	mailman create "$kind@lists.example.jp"
	mailman addmembers --no-welcome-msg "$dir/members.txt" "$kind@lists.example.jp" >/dev/null
done
cat >"$dir/mailman/personal.py" <<END
from mailman.config import config
from mailman.interfaces.mailinglist import Personalization

def individual(mlist):
    mlist.personalize = Personalization.individual
    config.db.commit()
END
PYTHONPATH=$dir/mailman mailman shell --listspec individual@lists.example.jp --run personal.individual
echo "ready: go run ./cmd/kairan-bench -run peers -members $members -peers $dir"
