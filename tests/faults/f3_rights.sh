#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F3: what each user may do to another's files and trees, plain and compressed, in sticky directories, and after a right was taken away from what the kernel has cached, is what ext4 lets him.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4 setpriv

make_base --params 60000 --hidden 64 --vocab 256 --seed 501
mv store made && mkdir disk
truncate -s 256M disk.img && mkfs.ext4 -q disk.img && mount_image disk.img disk && cp -a made disk/store && mkdir disk/direct || fail "ext4"
ln -s disk/store store

# As one user after the other, each operation on each file: what it ends with. All in one process a user.
cat >ask.py <<'PY'
import errno, os, sys
root, uid, gid, groups = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.chdir(root)
os.umask(0o022)
os.setgroups([int(g) for g in groups.split(",") if g])
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)

def opened(flags, act=lambda fd: None):
    def run(path):
        fd = os.open(path, flags)
        try:
            return act(fd)
        finally:
            os.close(fd)
    return run

def made(path):
    name = os.path.join(path, f"new.{uid}")
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    os.unlink(name)

def moved(path):
    os.rename(path, path + ".moved")
    os.rename(path + ".moved", path)

def linked(path):
    os.link(path, f"open/link.{uid}")
    os.unlink(f"open/link.{uid}")

def put_back(path):
    mode = os.stat(path).st_mode & 0o7777
    os.chmod(path, mode)

files = {
    "stat": lambda p: os.stat(p).st_mode, "read": opened(os.O_RDONLY, lambda fd: len(os.read(fd, 100))),
    "write": opened(os.O_WRONLY), "read and write": opened(os.O_RDWR), "append": opened(os.O_WRONLY | os.O_APPEND),
    "access r": lambda p: os.access(p, os.R_OK), "access w": lambda p: os.access(p, os.W_OK), "access x": lambda p: os.access(p, os.X_OK),
    "chmod": put_back, "chown": lambda p: os.chown(p, -1, os.stat(p).st_gid), "give": lambda p: os.chown(p, uid, -1) if os.stat(p).st_uid != uid else 0,
    "utime": lambda p: os.utime(p), "utime at": lambda p: os.utime(p, (5, 5)), "rename": moved, "link": linked,
    "getxattr": lambda p: os.getxattr(p, "user.note"), "setxattr": lambda p: os.setxattr(p, "user.note", b"kept"),
    "acl": lambda p: os.listxattr(p) and 1,
}
dirs = {
    "list": lambda p: len(os.listdir(p)), "create": made, "stat": lambda p: os.stat(p).st_mode, "chmod": put_back,
    "enter": lambda p: os.stat(os.path.join(p, "f")).st_size, "access": lambda p: [os.access(p, a) for a in (4, 2, 1)],
    "rmdir": lambda p: os.rmdir(p), "rename": moved, "utime": lambda p: os.utime(p),
}
def ask(kind, table, path):
    for word, act in table.items():
        try:
            got = act(path)
        except OSError as e:
            got = errno.errorcode[e.errno]
        print(kind, path, word, got)

for line in sys.stdin:
    kind, path = line.split()
    ask(kind, files if kind == "file" else dirs, path)
PY

# The same tree twice: trees by mode and owner, files by mode and owner in each.
modes=$(full "0600 0640 0604 0666 0400 0000 0755 0777" "0600 0640 0604 0666")
tree() {
	local d owner mode
	for d in open:777 sticky:1777 closed:700 group:2770 only-x:711 only-r:744; do
		mkdir -m "${d#*:}" "$1/${d%:*}"
		cp "$original" "$1/${d%:*}/f"
		for owner in 4001 4002 0; do
			for mode in $modes; do
				cp "$original" "$1/${d%:*}/$owner.$mode"
				setfattr -n user.note -v kept "$1/${d%:*}/$owner.$mode"
				chown "$owner:4010" "$1/${d%:*}/$owner.$mode" && chmod "$mode" "$1/${d%:*}/$owner.$mode"
			done
		done
		chown 4001:4010 "$1/${d%:*}"
	done
}
list() { (cd disk/direct && find . -mindepth 1 -type d -printf 'dir %P\n' -o -type f -printf 'file %P\n' | sort); }
n=0
# same WHEN: each user is told the same in both.
same() {
	local user
	for user in "4001 4001 " "4002 4002 " "4003 4003 4010" "65534 65534 "; do
		# shellcheck disable=SC2086  # words
		set -- "$1" $user
		python3 ask.py disk/direct "$2" "$3" "${4:-}" <listed >direct.said 2>ask.err || fail "$1: $(cat ask.err)"
		python3 ask.py mnt "$2" "$3" "${4:-}" <listed >mount.said 2>ask.err || fail "$1: $(cat ask.err)"
		diff direct.said mount.said >differs || fail "$1, user $2: on ext4 (<) and in the mount (>): $(head -20 differs)"
		n=$((n + $(grep -cE ' (EACCES|EPERM)$' mount.said)))
	done
}

ways=("" nowriteback)
[ -n "$DFS_FULL" ] || ways=("${ways[RANDOM % 2]}")
for options in "${ways[@]}"; do
	rm -rf disk/direct && mkdir -m 755 disk/direct && tree disk/direct
	start_rw "allow_other,noingest${options:+,$options}"
	chmod 755 mnt && tree mnt
	list >listed
	same "${options:-writeback}, plain"
	stop_daemon mnt
	deltafsctl encode -r store/open store/sticky store/closed store/group store/only-x store/only-r >said 2>&1 || fail "encode: $(tail -3 said)"
	start_rw "allow_other,noingest${options:+,$options}"
	is_coded sticky/4001.0600 && is_coded closed/0.0640 || fail "nothing is compressed"
	same "${options:-writeback}, compressed"
	# Taken away from what the kernel knows, and has pages of; libfuse 15.
	cat mnt/*/* >/dev/null
	for tree in disk/direct mnt; do
		chmod 000 $tree/open/4002.0666 $tree/open/4001.0604 $tree/group
		chmod 700 $tree/only-x && chown 0:0 $tree/only-r/4001.0600 && chmod 1700 $tree/sticky
	done
	same "${options:-writeback}, rights taken away"
	for tree in disk/direct mnt; do chmod 777 $tree/sticky $tree/group && chmod 644 $tree/open/4001.0604; done
	same "${options:-writeback}, rights given back"
	(cd disk/direct && find . -mindepth 1 -printf '%P %y %m %U:%G %n\n' | sort) >a
	(cd mnt && find . -mindepth 1 -printf '%P %y %m %U:%G %n\n' | sort | grep -v '^base') >b
	diff a b >differs || fail "${options:-writeback}: what came of it differs: $(head -5 differs)"
	stop_daemon mnt
	rm -rf store/open store/sticky store/closed store/group store/only-x store/only-r
done
is_tidy "in the end"
faults_fired "$n" 1000 # refusals
