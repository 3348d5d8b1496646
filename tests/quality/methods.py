# SPDX-License-Identifier: GPL-2.0-or-later
"""methods: what is done to a fine-tune, and what a method is called.

A codec of deltafs is a SPEC of `encode --codec`. A baseline is arithmetic on the very tensors that the codecs of this
store give bits up in; what it makes is a plain model, which deltafs then stores exactly, so that its bytes are real
too. MAIN are the methods that every fine-tune gets, the others are for the one that is measured in full.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    name: str  # as in tables, and of its directory
    family: str
    spec: str = "exact"  # for deltafsctl encode --codec
    baseline: str = ""  # name of a function below
    sparsity: float = 0.0
    main: bool = False
    group: str = ""  # of several that differ in a seed only: taken together in summaries

    @property
    def summary(self):
        return self.group or self.name


def codec(family, options="", main=False, group=""):
    spec = f"{family}:{options}" if options else family
    return Method(f"{family} {options}".strip(), family, spec, main=main, group=group)


METHODS = [
    Method("exact", "exact", main=True),
    Method("base linears", "base", baseline="base", main=True),
    codec("bitdelta", "scale=scalar", main=True),
    codec("bitdelta", "scale=row", main=True),
    codec("bitdelta", "scale=column"),
    codec("bitdelta", "k=2"),
    codec("delta-dct", main=True),
    codec("delta-dct", "p=8"),
    codec("delta-dct", "p=32"),
    codec("delta-dct", "p=64"),
    codec("delta-dct", "levels=minmax"),
    codec("delta-dct", "levels=minmax,codes=16"),
    codec("delta-dct", "bits=2:0.25/1:0.5/0:0.25"),
    codec("delta-dct", "bits=4:0.5/0:0.5"),
    *(codec("ultradelta", f"seed={seed}", main=True, group="ultradelta") for seed in range(3)),
    codec("ultradelta", "s=0.9,step=0.01"),
    codec("ultradelta", "s=0.95"),
    codec("ultradelta", "s=0.99,step=0.005"),
    codec("ultradelta", "mask=stored"),
    codec("ultradelta", "levels=codebook"),
    codec("ultradelta", "rescale=layer"),
    codec("ultradelta", "qbits=2"),
    codec("ultradelta", "gamma=0.5"),
    codec("ultradelta", "gamma=auto"),
    codec("delta-come", main=True),
    codec("delta-come", "ratio=8"),
    codec("delta-come", "ratio=32"),
    Method("magnitude s=0.9", "magnitude", baseline="magnitude", sparsity=0.9),
    Method("magnitude s=0.97", "magnitude", baseline="magnitude", sparsity=0.97, main=True),
    Method("DARE s=0.9", "DARE", baseline="dare", sparsity=0.9),
    Method("DARE s=0.97", "DARE", baseline="dare", sparsity=0.97, main=True),
    Method("DARE s=0.99", "DARE", baseline="dare", sparsity=0.99),
]

# The short form: one of each kind.
QUICK = ("exact", "base linears", "bitdelta scale=scalar", "delta-dct", "ultradelta seed=0", "delta-come")

# Summaries that the musts are about.
DEFAULTS = ("delta-dct", "ultradelta")
SCALAR_BITDELTA = "bitdelta scale=scalar"


def base(delta, sparsity, seed):
    """The base's linears among all that is the fine-tune's."""
    return delta * 0


def magnitude(delta, sparsity, seed):
    """The largest of each tensor, as they are; MergeLM's rule: strictly above the threshold."""
    drop = int(delta.numel() * sparsity)
    threshold = delta.abs().flatten().kthvalue(max(1, drop)).values
    return delta * (delta.abs() > threshold)


def dare(delta, sparsity, seed):
    """Dropped at random and scaled up: no position or value matters; no rounding of what is kept but the file's."""
    import torch

    random = torch.Generator().manual_seed(seed)
    return delta * (torch.rand(delta.shape, generator=random) >= sparsity) / (1 - sparsity)


def make_baseline(method, base_file, tuned_file, out, linears):
    """@linears: names in the fine-tune -> names in the base."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    rule = {"base": base, "magnitude": magnitude, "dare": dare}[method.baseline]
    tensors = {}
    with safe_open(base_file, "pt") as before, safe_open(tuned_file, "pt") as after:
        metadata = after.metadata()
        for number, name in enumerate(after.keys()):
            tensor = after.get_tensor(name)
            if name in linears:
                start = before.get_tensor(linears[name]).to(tensor.dtype).float()
                tensor = (start + rule(tensor.float() - start, method.sparsity, number)).to(tensor.dtype)
            tensors[name] = tensor.contiguous()
    save_file(tensors, out, metadata)
