# SPDX-License-Identifier: GPL-2.0-or-later
"""sentence-transformers: embeddings equal bit for bit."""
from check import *
from sentence_transformers import SentenceTransformer

versions("sentence-transformers", "transformers")
TEXT = ["One base, fifty fine-tunes.", "What is written is what is read.", ""]

for name in ("minilm", "sharded"):
    expected = SentenceTransformer(str(PLAIN / name), device="cpu").encode(TEXT)
    found = SentenceTransformer(str(VIEW / name), device="cpu").encode(TEXT)
    same(f"{name}: embeddings", expected, found)
done()
