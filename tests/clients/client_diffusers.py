# SPDX-License-Identifier: GPL-2.0-or-later
"""diffusers and accelerate: a sharded autoencoder, dispatched whole and with disk offload."""
import tempfile

from check import *
import accelerate
import torch
from diffusers import AutoencoderKL

versions("diffusers", "accelerate", "torch")


def image_of(model):
    torch.manual_seed(1)
    with torch.no_grad():
        return model(torch.rand(1, 3, 32, 32)).sample


def compare(what, model):
    state = model.state_dict()
    for path in PLAIN.glob("*.safetensors"):
        for name, expected in raw_tensors(path).items():
            same(f"{what}: {name}", expected, state[name])


def big():
    """accelerate alone, on the Llama that is too big to hold twice: every parameter against the plain bytes."""
    from transformers import AutoConfig, AutoModelForCausalLM

    with accelerate.init_empty_weights():
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(VIEW / "big"), dtype=torch.bfloat16)
    model.tie_weights()
    model = accelerate.load_checkpoint_and_dispatch(model, str(VIEW / "big"), device_map={"": "cpu"})
    state = model.state_dict()
    for plain, _ in pairs():
        for name, expected in raw_tensors(plain).items():
            same(f"accelerate big: {name}", expected, state[name])
    done()
    sys.exit(0)


if BIG:
    big()
PLAIN, VIEW = PLAIN / "vae", VIEW / "vae"
expected = image_of(AutoencoderKL.from_pretrained(PLAIN))
for options in ({}, {"disable_mmap": True}, {"low_cpu_mem_usage": False}):
    evict(VIEW)
    model = AutoencoderKL.from_pretrained(VIEW, **options)
    compare(f"diffusers {options}", model)
    same(f"diffusers {options}: image", expected, image_of(model))

INDEX = "diffusion_pytorch_model.safetensors.index.json"


def empty():
    with accelerate.init_empty_weights():
        return AutoencoderKL.from_config(AutoencoderKL.load_config(VIEW))


evict(VIEW)
model = accelerate.load_checkpoint_and_dispatch(empty(), str(VIEW / INDEX), device_map={"": "cpu"})
compare("accelerate dispatch", model)
same("accelerate dispatch: image", expected, image_of(model))

# The encoder stays on disk: accelerate reads it from the mount anew for every use.
evict(VIEW)
with tempfile.TemporaryDirectory() as folder:
    places = {"encoder": "disk", "decoder": "cpu", "quant_conv": "cpu", "post_quant_conv": "cpu"}
    model = accelerate.load_checkpoint_and_dispatch(empty(), str(VIEW / INDEX), device_map=places,
                                                    offload_folder=folder)
    same("accelerate offload: image", expected, image_of(model))
done()
