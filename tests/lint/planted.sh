#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# planted: each lint finds the fault planted for it, and says where.
. "$(dirname "$0")/../lib/test.sh"

# fresh: a tree with one file that nobody objects to.
fresh() {
	rm -rf tree && mkdir -p tree/src/util tree/src/codec tree/src/fuse tree/mount-tools tree/tests/{lib,ctl,adversary,faults,bench} tree/man tree/examples tree/.ci
	printf '/* SPDX-License-Identifier: GPL-2.0-or-later */\n#include <stddef.h>\nstruct dfs_good { size_t n; };\n' >tree/src/util/good.h
	printf '/* SPDX-License-Identifier: GPL-2.0-or-later */\n#include "util/good.h"\n' >tree/src/codec/good.c
	{ echo '# SPDX-License-Identifier: GPL-2.0-or-later'; echo strace; } >tree/tests/lib/packages.txt
	{ echo '# SPDX-License-Identifier: GPL-2.0-or-later'; echo 'need tar strace'; } >tree/tests/ctl/x.sh
	printf '#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\npart "x" python3 "$src/tests/bench/x_bench.py" \\\n\t--json x\n' >tree/tests/bench/run.sh
	chmod +x tree/tests/bench/run.sh
	echo '# SPDX-License-Identifier: GPL-2.0-or-later' >tree/tests/bench/x_bench.py
	for file in tree/x.ac tree/x.am tree/x.sh tree/x.md; do echo '# SPDX-License-Identifier: GPL-2.0-or-later' >"$file"; done
}

# finds LINT PATTERN: the lint fails on the tree, with a line like PATTERN.
finds() {
	expect_fail 1 "$2" "$DFS_SRC/tests/lint/$1.sh" tree
	fresh
}

fresh
for lint in layers headers style packages faults benches; do
	"$DFS_SRC/tests/lint/$lint.sh" tree || fail "$lint objects to a good tree"
done

sed -i '$a #include "codec/bad.h"' tree/src/util/good.h
finds layers 'src/util/good.h:4: util may not include codec/bad.h'
sed -i '$a #include "good.h"' tree/src/codec/good.c
finds layers 'src/codec/good.c:3: codec may not include good.h'
sed -i '$a #include <xxhash.h>' tree/src/codec/good.c
finds layers 'src/codec/good.c:3: .*xxhash.h belongs in src/util/hash.c'
sed -i '$a #include "util/internal.h"' tree/src/codec/good.c
finds layers 'util/internal.h is for its own folder'

sed -i '$a extern int dfs_bad(uint8_t);' tree/src/util/good.h
finds headers 'src/util/good.h: not alone'

echo 'int x; ' >>tree/src/codec/good.c
finds style 'src/codec/good.c:3: blanks'
echo '/* TODO: all of it */' >>tree/src/codec/good.c
finds style 'src/codec/good.c:3:.*TODO'
echo 'strcpy(a, b);' >>tree/src/codec/good.c
finds style 'src/codec/good.c:3:.*strcpy'
yes 'int x;' | head -400 >>tree/src/codec/good.c
finds style 'src/codec/good.c: 402 lines'
{ echo '{'; yes 'x++;' | head -61; echo '}'; } >>tree/src/codec/good.c
finds style 'src/codec/good.c:3: a function of 61 lines'
echo 'need rsync' >>tree/tests/ctl/x.sh
finds packages 'tests/ctl/x.sh:3:.*: no package of packages.txt has rsync'
echo 'f() { ''need no-such-command; }' >>tree/tests/ctl/x.sh
finds packages 'tests/ctl/x.sh:3:.*: no package of packages.txt has no-such-command'
printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-or-later\n# x: breaks things\n' >tree/tests/adversary/x.sh
finds style 'tests/adversary/x.sh: names no promise'
printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-or-later\n# x: never run\n' >tree/tests/ctl/y.sh
finds style 'tests/ctl/y.sh: begins as a program, and is not executable'
printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-or-later\n# A1: x\n' >tree/tests/faults/x.sh && chmod +x tree/tests/faults/x.sh
finds faults 'tests/faults/x.sh: does not end'
printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-or-later\n# x: y\nfaults_fired 1\n' >tree/tests/faults/x.sh && chmod +x tree/tests/faults/x.sh
finds faults 'tests/faults/x.sh: names no row'
echo '# SPDX-License-Identifier: GPL-2.0-or-later' >tree/tests/bench/y_bench.py
finds benches 'tests/bench/y_bench.py: is in no part'
sed -i 1d tree/src/codec/good.c
finds style 'src/codec/good.c: no licence'
