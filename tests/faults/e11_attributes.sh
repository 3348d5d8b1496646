#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E11: links, holes, xattrs, ACLs, times in ns, modes from 0000 to 7777: the same before and after it is compressed, and thawed.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"
need setfacl getfattr

make_base --params 60000 --hidden 64 --vocab 256 --seed 341
start_rw "" "" # all at once: what follows is done while it is compressed
mkdir mnt/d && setfacl -m u:1234:rwx,d:u:1234:r mnt/d

# All that a user can see of a file; ctime too, which is not what it was when it was copied here.
seen() {
	stat -c '%n %i %s %y %z %h %a %u:%g %F' "$1"
	getfattr -h --absolute-names -d -m - "$1"
	getfacl -p -c "$1"
	cat "$1" | sha256sum
}

modes="0000 0001 0044 0200 0400 0600 0640 0644 0666 0700 0755 0777 1777 2755 4755 6755 7777"
[ -z "$DFS_FULL" ] || modes="0644 "$(for ((m = 0; m < 4096; m += 13)); do printf '%04o ' $m; done)
n=0
for mode in $modes; do
	f=d/m$mode
	cp "$original" "mnt/$f"
	setfattr -n user.note -v "of $mode" "mnt/$f"
	setfattr -n user.empty -v "" "mnt/$f"
	setfattr -n trusted.mine -v "$mode" "mnt/$f"
	setfacl -m u:1234:rw,g:4321:r,m::rwx "mnt/$f"
	chown "$((RANDOM % 1000)):$((RANDOM % 1000))" "mnt/$f"
	chmod "$mode" "mnt/$f"
	touch -d "2001-02-03 04:05:06.$(printf '%09d' $((RANDOM * 30000 + n)))" "mnt/$f"
	seen "mnt/$f" >"before.$mode"
done
for mode in $modes; do
	f=d/m$mode
	becomes_coded "$f"
	seen "mnt/$f" >after
	diff "before.$mode" after || fail "$mode: compressed, it shows other things"
	n=$((n + 1))
	# and thawed: by a handle that changes nothing but a byte to what it was; the times are put back
	mtime=$(stat -c %y "mnt/$f")
	exec 8<>"mnt/$f"
	head -c1 "$original" >&8
	sync "mnt/$f"
	[ "$(stat -c %s "store/$f")" = "$original_size" ] || fail "$mode: not thawed"
	chmod "$mode" "mnt/$f"
	touch -d "$mtime" "mnt/$f"
	seen "mnt/$f" >after
	exec 8>&-	# what diff reads from would have it too, and outlive diff
	diff <(sed 's/ +0000 [0-9-]* [0-9:.]* +0000/ MTIME CTIME/' "before.$mode") <(sed 's/ +0000 [0-9-]* [0-9:.]* +0000/ MTIME CTIME/' after) ||
		fail "$mode: thawed, it shows other things"
done
stop_daemon mnt
start_rw
for mode in $modes; do
	becomes_coded "d/m$mode"
	seen "mnt/d/m$mode" >after
	diff <(sed '1s/^\([^ ]*\) [0-9]* /\1 N /; s/ +0000 [0-9-]* [0-9:.]* +0000/ MTIME CTIME/' "before.$mode") \
		<(sed '1s/^\([^ ]*\) [0-9]* /\1 N /; s/ +0000 [0-9-]* [0-9:.]* +0000/ MTIME CTIME/' after) || fail "$mode: mounted again, it shows other things"
done

# Hard links: never compressed; a link to a compressed file makes it plain, and both names agree.
cp "$original" mnt/l1 && ln mnt/l1 mnt/l2
sleep 1
! is_coded l1 || fail "a file of two names is compressed"
cp "$original" mnt/h1 && becomes_coded h1 && ln mnt/h1 mnt/h2 || fail "link of a compressed file"
for pair in "l1 l2" "h1 h2"; do
	read -r a b <<<"$pair"
	[ "$(stat -c '%i %h' mnt/"$a")" = "$(stat -c '%i %h' mnt/"$b")" ] || fail "$pair: not one file"
	[ "$(stat -c %h mnt/"$a")" = 2 ] || fail "$pair: $(stat -c %h mnt/"$a") links"
	printf tail | dd of="mnt/$a" bs=1 seek=100000 conv=notrunc status=none
	cmp "mnt/$a" "mnt/$b" || fail "$pair: one name does not show what was written by the other"
	[ "$(tail -c +100001 "mnt/$b" | head -c 4)" = tail ] || fail "$pair: not written"
done
rm mnt/h2 && printf once | dd of=mnt/h1 bs=1 seek=100000 conv=notrunc status=none && becomes_coded h1

# Symbolic links are text, also to a compressed file; holes stay holes to who looks for data.
ln -s d/m0644 mnt/s && cmp mnt/s "$original" || fail "symlink"
truncate -s 3M mnt/holes && printf end | dd of=mnt/holes bs=1 seek=2M conv=notrunc status=none
cp --sparse=always mnt/holes sparse
[ "$(stat -c %b sparse)" -lt 100 ] && cmp sparse mnt/holes || fail "holes are lost"
stop_daemon mnt
every_container_verifies "in the end"
faults_fired "$n" 16
