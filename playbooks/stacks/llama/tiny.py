"""Writes a model that says nothing, as GGUF: `tiny.py FILE`.

Its weights are noise from one seed, so its answers are words without meaning,
and always the same ones: what a test of a real server needs. 13 million
parameters in eight layers, 14 MB. Only Python's own library is used.
"""

import random
import struct
import sys

WIDTH, HEADS, INNER, LAYERS, CONTEXT = 384, 6, 1024, 8, 4096
ALIGN = 32
F32, Q8_0 = 0, 8
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

noise = random.Random(7)


def vocabulary():
    """Marks, a byte each for what no word covers, letters, and words of two syllables."""
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    words = [a + b for a in syllables for b in syllables][:3000]
    tokens = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    tokens += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    tokens += [(chr(c), NORMAL) for c in range(33, 127)] + [("\u2581", NORMAL)]
    spoken = len(tokens)
    tokens += [("\u2581" + word, NORMAL) for word in words]
    return tokens, spoken


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    """One key of the head, with the type that GGUF has for its value."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    head = text(key) + struct.pack("<I", 9)
    if isinstance(value[0], str):
        return head + struct.pack("<IQ", 8, len(value)) + b"".join(map(text, value))
    if isinstance(value[0], float):
        return head + struct.pack(f"<IQ{len(value)}f", 6, len(value), *value)
    return head + struct.pack(f"<IQ{len(value)}i", 5, len(value), *value)


def ones(count):
    return (count,), F32, struct.pack("<f", 1.0) * count


def rows(wide, many, silent=0, size=0.0012):
    """A matrix of noise in blocks of 32; the first rows are nothing."""
    scale = struct.pack("<e", size)
    blocks = wide // 32 * (many - silent)
    drawn = noise.randbytes(blocks * 32)
    loud = b"".join(scale + drawn[at : at + 32] for at in range(0, len(drawn), 32))
    return (wide, many), Q8_0, bytes(silent * wide // 32 * 34) + loud


def tensors(words, spoken):
    yield "token_embd.weight", rows(WIDTH, words)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", ones(WIDTH)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield block + part + ".weight", rows(WIDTH, WIDTH)
        yield block + "ffn_norm.weight", ones(WIDTH)
        yield block + "ffn_gate.weight", rows(WIDTH, INNER)
        yield block + "ffn_up.weight", rows(WIDTH, INNER)
        yield block + "ffn_down.weight", rows(INNER, WIDTH)
    yield "output_norm.weight", ones(WIDTH)
    # Marks, bytes and letters are read, and never said: no answer ends by itself.
    yield "output.weight", rows(WIDTH, words, silent=spoken)


def main(path):
    tokens, spoken = vocabulary()
    keys = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.alignment": ALIGN,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS,
        "llama.feed_forward_length": INNER,
        "llama.attention.head_count": HEADS,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [token for token, _ in tokens],
        "tokenizer.ggml.scores": [-float(place) for place in range(len(tokens))],
        "tokenizer.ggml.token_type": [kind for _, kind in tokens],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    every = list(tensors(len(tokens), spoken))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(every), len(keys))
    head += b"".join(entry(key, value) for key, value in keys.items())
    at = 0
    for name, (shape, kind, data) in every:
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, at)
        at += len(data) + -len(data) % ALIGN
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % ALIGN))
        for _, (_, _, data) in every:
            file.write(data + bytes(-len(data) % ALIGN))


main(sys.argv[1])
