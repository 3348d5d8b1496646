#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fsck: each damage is found by the check that promises it, and mended or left as promised; a look changes nothing, and a file that read right reads right after.
# test: timeout=900
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need setfattr python3

make_store --params 200000 --hidden 128 --vocab 256 --seed 21
mkdir store/sole && cp orig/base/model.safetensors store/sole/b.safetensors && cp orig/tune/model.safetensors store/sole/a.safetensors
run deltafsctl encode store/sole/a.safetensors --base store/base
mv store clean
coded=tune/model.safetensors
off=$(meta off clean/$coded) container=$(meta container clean/$coded)
pin=$(find clean/.deltafs/pins -type f) pin=.deltafs/pins/${pin##*/}
record=$(find clean/.deltafs/bases -name '*.json') record=.deltafs/bases/${record##*/}
mark=$(getfattr -m 'deltafs.container' --absolute-names -d clean/$coded | sed -n 's/^\([a-z.]*container\)=.*/\1/p')

# state: all of the store that a look must leave alone.
state() { (cd store && find . -printf '%p %y %m %u %n %i %s %T@ %C@\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }

# reads: the coded file gives back what it was made from.
reads() { deltafsctl decode store/$coded -o - 2>/dev/null | cmp -s - orig/tune/model.safetensors; }

# checks STATUS PATTERN OPTION...: exit status, and one finding that says so ("-": none).
checks() {
	local want=$1 pattern=$2 status=0
	shift 2
	fsck.deltafs "$@" store >said 2>&1 || status=$?
	[ $status = "$want" ] || fail "$what: fsck.deltafs $*: exit status $status, not $want: $(cat said)"
	if [ "$pattern" = - ]; then
		[ "$(wc -l <said)" = 1 ] && grep -q '^store: clean' said || fail "$what: fsck.deltafs $*: $(cat said)"
	else
		grep -Eq -- "$pattern" said || fail "$what: fsck.deltafs $*: nothing like '$pattern': $(cat said)"
	fi
}

# damage WHAT MODE LEVEL PATTERN COMMAND: in a fresh store. MODE fast or full: what
# finds it. LEVEL p, y or no: what mends it.
damage() {
	what=$1
	local mode=$2 level=$3 pattern=$4 right= times
	rm -rf store
	cp -a clean store
	eval "$5" || fail "$what: this test is wrong"
	! reads || right=1
	times=$(stat -c '%i %y' store/$coded)
	state >before
	if [ "$mode" = fast ]; then checks 4 "$pattern" -n; else checks 0 - -n; fi
	checks 4 "$pattern" -f
	state | diff before - || fail "$what: a look changed something"
	case $level in
	no)
		checks 4 "$pattern" -y -f
		;;
	p)
		checks 1 "$pattern" -p -f
		checks 0 - -y -f
		checks 0 - -n
		reads || fail "$what: mended, and unreadable"
		;;
	y)
		checks 4 "$pattern.*; -y repairs it" -p -f
		checks 1 "$pattern" -y -f
		checks 0 - -y -f
		;;
	esac
	[ -z "$right" ] || reads || fail "$what: what could be read cannot be read any more"
	[ "$times" = "$(stat -c '%i %y' store/$coded)" ] || fail "$what: the file has another inode or other times"
	[ "$level" = no ] || return 0
	rm -rf store
	cp -a clean store
	eval "$5"
	checks 4 "$pattern" -p -f
	[ -z "$right" ] || reads || fail "$what: what could be read cannot be read after -p"
}

what="a clean store"
cp -a clean store
state >before
checks 0 - -n
checks 0 - -f
checks 0 - -nC
state | diff before - || fail "a look changed something"
checks 0 - -f -p
checks 0 - -y
diff <(grep -v '\.deltafs' before) <(state | grep -v '\.deltafs') || fail "a repair without a reason changed something"
[ "$(fsck.deltafs -v store | wc -l)" = 3 ] || fail "-v does not name two containers"

# What is around a container.
damage "first superblock" fast p "$coded: the superblock at the head is damaged" 'flip store/$coded 100 3'
damage "magic" fast p "$coded: the superblock at the head is damaged" 'flip store/$coded 2 3'
damage "second superblock" fast p "$coded: the superblock at the tail is damaged" 'flip store/$coded $((container - 9)) 5'
damage "both superblocks" fast no "$coded: .*neither superblock is valid" 'flip store/$coded 100 && flip store/$coded $((container - 100))'
damage "the tail cut short" fast p "$coded: the superblock at the tail is damaged" 'truncate -s -100 store/$coded'
damage "zeros behind it" fast p "$coded: 5000 bytes, all zero, follow the container" 'truncate -s +5000 store/$coded'
damage "bytes behind it" fast no "$coded: 6 bytes follow the container" 'echo hello >>store/$coded'
head -c 40000 /dev/zero >odd && run deltafsctl encode odd -o odd.coded
damage "another container's superblock" fast no "$coded: its two superblocks are of different containers" \
	'tail -c 256 odd.coded | dd of=store/$coded bs=1 seek=$((container - 256)) conv=notrunc status=none'
if [ -n "$mark" ]; then
	damage "a mark of another" fast p "$coded: its mark is of another container" 'setfattr -n $mark -v 0x000102030405060708090a0b0c0d0e0f1011121314151617 store/$coded'
	damage "a mark that is none" fast p "$coded: its mark is of another container" 'setfattr -n $mark -v x store/$coded'
	damage "a forged mark" fast no "notes: marked as a container" 'echo hello >store/notes && setfattr -n user.deltafs.container -v x store/notes'
	damage "overwritten by a model" fast y "$coded: marked as a container, but overwritten" 'cat orig/tune/model.safetensors >store/$coded'
	same store/$coded orig/tune/model.safetensors
	[ -z "$(getfattr -m container -d store/$coded)" ] || fail "the mark is still there"
	damage "marked, and empty" fast no "$coded: marked as a container" 'truncate -s 0 store/$coded'
	damage "another's mark, and marked plain" fast no "$coded: its mark is of another" \
		'setfattr -n $mark -v x store/$coded && setfattr -n ${mark%container}plain store/$coded'
	damage "a plain file like a container" fast no "notes: begins like a container" 'head -c 100 store/$coded >store/notes'
	what="a file marked plain"
	head -c 100 store/$coded >store/notes && rm -rf store && cp -a clean store && cp clean/$coded store/notes
	setfattr -n user.deltafs.plain store/notes && truncate -s 400 store/notes
	checks 0 - -n
	what="a container without a mark"
	rm store/notes && setfattr -x $mark store/$coded
	checks 0 - -n -f
fi

# What is in it.
damage "metadata" fast no "$coded: metadata is damaged" 'flip store/$coded $((off + 40))'
damage "a payload" fast no "$coded: .*chunk.*payload" 'flip store/$coded $((off - 30))'
damage "a payload and a superblock" fast no "$coded: the superblock at the head.*; deltafsctl" 'flip store/$coded $((off - 30)) && flip store/$coded 90'
damage "cut short" fast no "$coded: .*cut short" 'truncate -s $((off + 10)) store/$coded'

# Bases.
lose_base() { rm "store/$pin" store/base/model.safetensors store/sole/b.safetensors; }
damage "a base that is gone" fast no "$coded: base base/model.safetensors .*not found.*base add STORE" lose_base
damage "its pin that is gone" fast p "$pin: no pin keeps base base/model.safetensors" 'rm store/$pin'
damage "all of .deltafs" fast p "no pin keeps base" 'rm -r store/.deltafs'
# A pin that is another name of the file is altered with it; a copy of the file is right still.
alter() { flip "store/$pin" 300000 2 && touch -r clean/base/model.safetensors "store/$pin"; }
damage "a pin altered in place" full no "$pin: not the content of base" alter
damage "a pin altered, and its file whole" full p "$pin: not the content of base.*" \
	'cp -p store/$pin x && mv x store/base/model.safetensors && alter'
damage "a pin of another size" fast no "$pin: not the content of base" 'echo more >>store/$pin'
damage "a pin that nobody needs" fast y "no model and no container needs it" 'head -c 5000 /dev/urandom >store/.deltafs/pins/00112233445566778899aabbccddeeff'
damage "the same, of a file that is there" fast p "no model and no container needs it, and its file" \
	'ln store/sole/b.safetensors store/.deltafs/pins/00112233445566778899aabbccddeeff'
damage "no pin" fast no "pins/README: no pin has this name" 'echo x >store/.deltafs/pins/README'
damage "a model's record" fast p "$record: .*; " 'truncate -s 100 store/$record'
damage "a model's record, and nobody says what was in it" fast no "$record: .*base add" \
	'truncate -s 100 store/$record && rm store/$pin store/tune/model.safetensors store/sole/a.safetensors; ln store/base/model.safetensors store/$coded; cp orig/tune/model.safetensors x; mv x store/$coded'
what="the record of a model of three files"
rm -rf store other
make_pair --base-shards 3 --params 60000 --hidden 64 --vocab 256 other
mkdir store && cp -r other/* store/
run deltafsctl base add store store/base
run deltafsctl encode -r store/tune
cp "$(find store/.deltafs/bases -name '*.json')" good.json
echo x >"$(find store/.deltafs/bases -name '*.json')"
checks 1 "bases/.*; written anew from its pins" -p
checks 0 - -f
paths='sorted((f["hash"], f["size"], f["name"], f["pinned"], *f["paths"]) for f in o["files"] if f["paths"])'
[ "$(member "$(find store/.deltafs/bases -name '*.json')" "$paths")" != "[]" ] || fail "$what: no file has a name"
for name in $(member "$(find store/.deltafs/bases -name '*.json')" '" ".join(p for f in o["files"] for p in f["paths"])'); do
	grep -q "\"$name\"" good.json || fail "$what: $name was not in it"
done
damage "no record" fast no "bases/x.json: no record" 'echo {} >store/.deltafs/bases/x.json'

# Who may not read a file cannot have it pinned by a container that names it as its base.
if [ "$(id -u)" = 0 ] && [ -n "$mark" ]; then
	what="a container of a stranger"
	rm -rf store
	cp -a clean store
	rm -r store/.deltafs store/sole
	chmod 600 store/base/model.safetensors
	setfattr -x "$mark" store/$coded
	chown 65534:65534 store/$coded
	checks 0 - -p
	[ ! -e store/.deltafs ] || fail "$what: something was pinned for him"
	chown 0:0 store/$coded
	checks 1 'no pin keeps base' -p
fi

# What may need it is not known: it stays.
for doubt in 'flip store/$coded $((off + 40))' 'truncate -s 3 store/$record && rm store/$coded store/sole/a.safetensors && mv store/$pin x'; do
	what="a pin that somebody may need: $doubt"
	rm -rf store
	cp -a clean store
	eval "$doubt"
	head -c 5000 /dev/urandom >store/.deltafs/pins/00112233445566778899aabbccddeeff
	ln store/sole/b.safetensors store/.deltafs/pins/10112233445566778899aabbccddeeff
	checks 4 '' -y
	[ "$(find store/.deltafs/pins -name '?0112233445566778899aabbccddeeff' | wc -l)" = 2 ] || fail "$what: it is gone"
done

# What else is in .deltafs.
damage "left by a crash" fast p "tmp/0123456789abcdef: left by a crash" 'echo x >store/.deltafs/tmp/0123456789abcdef'
damage "a record of what waits" fast p ".deltafs/pending: 1 damaged line;" 'printf "0011223344556677\tadd\tx\n" >store/.deltafs/pending'
damage "a reason" fast p ".deltafs/reasons: 2 damaged lines;" 'printf "no\nline" >store/.deltafs/reasons'
damage "no journal" fast no ".deltafs/pending: no regular file" 'mkdir store/.deltafs/pending'
damage "a remembered hash" fast p ".deltafs/hashes/[0-9a-f-]*: a remembered hash is damaged" \
	'flip "$(find store/.deltafs/hashes -type f | head -1)" 50 1'
for part in bases hashes pins tmp version lock; do
	what="$part that is none"
	rm -rf store && cp -a clean store
	rm -r "store/.deltafs/$part"
	case $part in version | lock) mkdir "store/.deltafs/$part" ;; *) echo x >"store/.deltafs/$part" ;; esac
	checks 4 ".deltafs/$part: no (regular file|directory)" -f
	checks 8 "cannot repair: .*/$part: .* directory" -y
done
what="a remembered hash that a power cut emptied"
rm -rf store && cp -a clean store
find store/.deltafs/hashes -type f -exec truncate -s 0 {} +
checks 0 - -n
damage "the version" fast no ".deltafs/version: damaged" 'echo nonsense >store/.deltafs/version'

# Several at once: what is mended and what is left are both in the exit status.
what="both kinds"
rm -rf store
cp -a clean store
flip store/$coded 100
flip store/sole/a.safetensors $((off - 30))
checks 5 "2 errors: 1 repaired, 0 repairable, 1 left" -p
fsck.deltafs --json store >said.json
[ $? = 4 ] && [ "$(member said.json 'o["left"], o["findings"][0]["kind"]')" = "(1, 'content')" ] || fail "--json: $(cat said.json)"

# Wrong usage, and what is no store.
expect_fail 16 "does not go with -y" fsck.deltafs -n -y store
expect_fail 16 "STORE is missing" fsck.deltafs
expect_fail 16 "one argument too many" fsck.deltafs store store
expect_fail 16 "no option -Z" fsck.deltafs -Z store
expect_fail 16 "did you mean --full" fsck.deltafs --ful1 store
expect_fail 8 "No such file" fsck.deltafs nowhere
expect_fail 8 "later|version 7" bash -c 'echo "deltafs store 7" >store/.deltafs/version; fsck.deltafs store'
fsck.deltafs -V | grep -q '^fsck.deltafs ' || fail "-V"
