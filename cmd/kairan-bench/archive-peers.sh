#!/bin/sh
# Installs Debian's public-inbox and makes a folder with what runs it, for
#
#	cmd/kairan-bench/archive-peers.sh /var/tmp/inbox
#	go run ./cmd/kairan-bench -run archivepeers -peers /var/tmp/inbox
#
# usage: archive-peers.sh FOLDER
#
# It needs root for apt-get. Nothing is started, and nothing outside of FOLDER is configured; remove FOLDER and the package to be rid of it all.
# public-inbox runs as Debian delivers it: an inbox of version 2, full index (with phrases), one web worker.
set -eu
[ $# -eq 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)

if ! command -v public-inbox-httpd >/dev/null; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends public-inbox libsearch-xapian-perl
fi

# new: an empty inbox
cat >"$dir/new" <<END
#!/bin/sh
set -eu
export HOME="$dir" PI_CONFIG="$dir/config"
rm -rf "$dir/inbox" "$dir/config"
public-inbox-init -V2 -L full archive "$dir/inbox" http://127.0.0.1/archive archive@lists.example.jp
git config -f "$dir/config" publicinboxmda.spamcheck none
END
# import MBOX: archive and index it, in one process and as many as that starts
cat >"$dir/import" <<END
#!/bin/sh
set -eu
export HOME="$dir" PI_CONFIG="$dir/config"
exec perl -MPublicInbox::Config -MPublicInbox::InboxWritable -e '
	my \$inbox = PublicInbox::InboxWritable->new(PublicInbox::Config->new->lookup_name("archive"));
	open(my \$mbox, "<", shift) or die;
	\$inbox->import_mbox(\$mbox, "mboxrd")' "\$1"
END
# deliver: a message from standard input
cat >"$dir/deliver" <<END
#!/bin/sh
export HOME="$dir" PI_CONFIG="$dir/config" ORIGINAL_RECIPIENT=archive@lists.example.jp
exec public-inbox-mda --no-precheck
END
# serve ADDRESS: its pages
cat >"$dir/serve" <<END
#!/bin/sh
export HOME="$dir" PI_CONFIG="$dir/config"
exec public-inbox-httpd -W1 -l "http://\$1"
END
chmod +x "$dir/new" "$dir/import" "$dir/deliver" "$dir/serve"
echo "ready: go run ./cmd/kairan-bench -run archivepeers -peers $dir"
