#!/usr/bin/env python3
"""Makes the reference outputs that the tests of this plugin compare with.

The outputs come from the implementation in PyTorch and Hugging Face transformers, in floating point of 64 bits. Nothing has to be
downloaded for the models: their weights and inputs are random numbers that the plugin makes again bit by bit (`src/stream.rs`,
`src/input.rs`). Needs torch >= 1.13, a transformers version that works with it (4.40 for torch 1.13) and numpy.

    generate.py                    writes ../data/reference.json
    generate.py --minilm FOLDER    also compares sentences by the published weights of all-MiniLM-L6-v2; the folder holds them as
                                   transformers loads them: a configuration, weights and a tokenizer. Without this option, the
                                   sentences already in the file stay there.
    generate.py --show-stream      prints the first three numbers of a stream, for a test of the plugin
"""

import argparse
import json
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "reference.json"

WEIGHTS_SEED = 1
INPUT_SEED = 1
BATCH = 2
LENGTH = 16
IMAGE_SIZE = 224
PATCH = 16
CHANNELS = 3
CLASSES = 1_000
VOCABULARY = 30_522
POSITIONS = 512
TYPES = 2
EPSILON = 1e-12

BEGIN = 101
END = 102
FIRST_WORD = 1_000

# Random weights lie in [-SPREAD, SPREAD); the scales of layer normalisations around 1.
SPREAD = np.float32(0.035)
# How many numbers of an output are kept.
KEPT = 48

# Name, kind of model, what the output is, layers, numbers per token, heads, numbers per token in the feed-forward network.
MODELS = [
    ("bert-tiny", "bert", "pooler", 2, 128, 2, 512),
    ("bert-base-uncased", "bert", "pooler", 12, 768, 12, 3072),
    ("bert-large-uncased", "bert", "pooler", 24, 1024, 16, 4096),
    ("distilbert-base-uncased", "distilbert", "hidden", 6, 768, 12, 3072),
    ("all-MiniLM-L6-v2", "bert", "sentence", 6, 384, 12, 1536),
    ("vit-tiny-patch16-224", "vit", "classes", 12, 192, 3, 768),
    ("vit-small-patch16-224", "vit", "classes", 12, 384, 6, 1536),
    ("vit-base-patch16-224", "vit", "classes", 12, 768, 12, 3072),
    ("vit-large-patch16-224", "vit", "classes", 24, 1024, 16, 4096),
    ("deit-tiny-patch16-224", "vit", "classes", 12, 192, 3, 768),
]

# Pairs of similar meaning.
SENTENCES = [
    "It will rain all day tomorrow.",
    "The forecast says the next day will be wet.",
    "Simmer the tomato sauce until it thickens.",
    "Cook the sauce on low heat until it is no longer thin.",
    "The compiler rejected the program because of a type error.",
    "My code does not build: the types do not match.",
]


class Stream:
    """Random numbers as in `src/stream.rs`: SplitMix64, started at the FNV-1a hash of a name."""

    MASK = (1 << 64) - 1
    STEP = 0x9E37_79B9_7F4A_7C15

    def __init__(self, seed, name):
        key = 0xCBF2_9CE4_8422_2325
        for byte in name.encode():
            key = (key ^ byte) * 0x0000_0100_0000_01B3 & self.MASK
        self.key = np.uint64(key ^ (seed * self.STEP & self.MASK))

    def bits(self, count):
        """The first numbers. Arithmetic on arrays of unsigned integers wraps around, as it should."""
        z = np.arange(1, count + 1, dtype=np.uint64)
        z *= np.uint64(self.STEP)
        z += self.key
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58_476D_1CE4_E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D0_49BB_1331_11EB)
        z ^= z >> np.uint64(31)
        return z

    def signed(self, count):
        """The first numbers in [-1, 1)."""
        high = (self.bits(count) >> np.uint64(40)).astype(np.float32)
        return high * np.float32(2.0**-23) - np.float32(1)


def random_weight(name, shape):
    """The tensor of that name for the weights `random:WEIGHTS_SEED`."""
    values = SPREAD * Stream(WEIGHTS_SEED, name).signed(int(np.prod(shape)))
    if len(shape) == 1 and name.endswith(".weight"):
        values += np.float32(1)
    assert values.dtype == np.float32
    return values.reshape(shape)


def random_tokens():
    """Texts, as in `src/input.rs`."""
    bits = Stream(INPUT_SEED, "input_ids").bits(BATCH * LENGTH)
    words = bits % np.uint64(VOCABULARY - FIRST_WORD)
    tokens = (words.astype(np.int64) + FIRST_WORD).reshape(BATCH, LENGTH)
    tokens[:, 0] = BEGIN
    tokens[:, -1] = END
    return tokens


def random_pixels():
    """Images, as in `src/input.rs`."""
    shape = (BATCH, CHANNELS, IMAGE_SIZE, IMAGE_SIZE)
    return Stream(INPUT_SEED, "pixel_values").signed(int(np.prod(shape))).reshape(shape)


def build(kind, output, layers, hidden, heads, inner):
    """The model, with the weights that transformers gives it."""
    import transformers

    if kind == "bert":
        config = transformers.BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=inner,
            hidden_act="gelu",
            max_position_embeddings=POSITIONS,
            type_vocab_size=TYPES,
            layer_norm_eps=EPSILON,
            attn_implementation="eager",
        )
        return transformers.BertModel(config, add_pooling_layer=output == "pooler")
    if kind == "distilbert":
        config = transformers.DistilBertConfig(
            vocab_size=VOCABULARY,
            max_position_embeddings=POSITIONS,
            sinusoidal_pos_embds=False,
            n_layers=layers,
            n_heads=heads,
            dim=hidden,
            hidden_dim=inner,
            activation="gelu",
            attn_implementation="eager",
        )
        return transformers.DistilBertModel(config)
    config = transformers.ViTConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        hidden_act="gelu",
        layer_norm_eps=EPSILON,
        image_size=IMAGE_SIZE,
        patch_size=PATCH,
        num_channels=CHANNELS,
        qkv_bias=True,
        num_labels=CLASSES,
        attn_implementation="eager",
    )
    return transformers.ViTForImageClassification(config)


def short_name(name):
    """The name of a weight without that of the kind of model."""
    for prefix in ("bert.", "distilbert.", "vit."):
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def directions(hidden):
    """The mean over the tokens of each text, with length 1."""
    import torch

    return torch.nn.functional.normalize(hidden.mean(dim=1), p=2, dim=1)


def infer(model, kind, output):
    """The output for the random input."""
    import torch

    with torch.no_grad():
        if kind == "vit":
            return model(pixel_values=torch.from_numpy(random_pixels()).double()).logits
        tokens = torch.from_numpy(random_tokens())
        more = {"attention_mask": torch.ones_like(tokens)}
        if kind == "bert":
            more["token_type_ids"] = torch.zeros_like(tokens)
        result = model(input_ids=tokens, **more)
        if output == "pooler":
            return result.pooler_output
        if output == "sentence":
            return directions(result.last_hidden_state)
        return result.last_hidden_state


def rounded(values):
    """Numbers with 9 significant digits."""
    return [float(f"{value:.9g}") for value in values]


def reference(name, kind, output, *sizes):
    """What the file says about a model."""
    import torch

    model = build(kind, output, *sizes)
    state = model.state_dict()
    assert state.keys() == dict(model.named_parameters()).keys(), "there are buffers among the weights"
    weights = {key: torch.from_numpy(random_weight(short_name(key), tuple(value.shape))) for key, value in state.items()}
    model.load_state_dict(weights, strict=True)
    model = model.double().eval()
    result = infer(model, kind, output)
    assert result.dtype == torch.float64
    flat = result.numpy().reshape(-1)
    step = flat.size // KEPT
    return {
        "model": name,
        "parameters": sum(value.numel() for value in weights.values()),
        "output_shape": list(result.shape),
        "values": rounded(flat[: KEPT * step : step]),
        "norm": rounded([np.sqrt(np.sum(flat**2))])[0],
    }


def sentences(folder):
    """What the file says about sentences, by the published weights."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")
    model = model.double().eval()
    found, embeddings = [], []
    for text in SENTENCES:
        tokens = tokenizer(text)["input_ids"]
        assert tokens[0] == BEGIN and tokens[-1] == END
        # One at a time, so that no text has to be filled up.
        ids = torch.tensor([tokens])
        with torch.no_grad():
            result = model(input_ids=ids, attention_mask=torch.ones_like(ids), token_type_ids=torch.zeros_like(ids))
        embedding = directions(result.last_hidden_state)[0].numpy()
        assert embedding.dtype == np.float64
        embeddings.append(embedding)
        found.append({"text": text, "tokens": tokens, "beginning": rounded(embedding[:8])})
    embeddings = np.stack(embeddings)
    return {"sentences": found, "similarities": [rounded(row) for row in embeddings @ embeddings.T]}


def write(content):
    """Writes the file, with a line for each member of a list of lists or objects."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
            members = ",\n".join(f"    {json.dumps(member)}" for member in value)
            lines.append(f"  {json.dumps(key)}: [\n{members}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description="Makes the reference outputs that the tests of this plugin compare with.")
    parser.add_argument("--minilm", metavar="FOLDER", help="folder with the published weights of all-MiniLM-L6-v2")
    parser.add_argument("--show-stream", action="store_true", help="print the first numbers of a stream instead")
    arguments = parser.parse_args()

    if arguments.show_stream:
        print(*(int(number) for number in Stream(1, "classifier.bias").bits(3)))
        return

    import torch
    import transformers

    if arguments.minilm:
        about_sentences = sentences(arguments.minilm)
    else:
        before = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
        about_sentences = {key: before[key] for key in ("sentences", "similarities") if key in before}
    write(
        {
            "generated_by": {"torch": torch.__version__, "transformers": transformers.__version__},
            "weights_seed": WEIGHTS_SEED,
            "input_seed": INPUT_SEED,
            "batch": BATCH,
            "length": LENGTH,
            "image_size": IMAGE_SIZE,
            "models": [reference(*model) for model in MODELS],
            **about_sentences,
        }
    )


if __name__ == "__main__":
    main()
