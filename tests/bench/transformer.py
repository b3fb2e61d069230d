"""Transformer encoders, node for node as PyTorch exports them: BERT-base, MiniLM-L6, ViT-B/16.

They begin behind the embedding: a table of words or a patch projection is no work worth timing.
"""

import math

from network import Network


class Encoder(Network):
    def __init__(self, name, seed, tokens, width, heads, fused_norm=True):
        super().__init__(name, seed)
        self.tokens, self.width, self.heads, self.fused_norm = tokens, width, heads, fused_norm

    def linear(self, x, cin, cout, name, gain=1.0):
        w = self.weight(name + ".weight", [cin, cout], gain / math.sqrt(cin))  # Xavier
        b = self.weight(name + ".bias", [cout], 0.02)
        return self.add(self.node("MatMul", x, w), b)

    def norm(self, x, name):
        gamma = self.weight(name + ".weight", [self.width], 0.1, mean=1.0)
        beta = self.weight(name + ".bias", [self.width], 0.02)
        if self.fused_norm:
            return self.node("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)
        # What exporters write for an opset before 17.
        centered = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1]))
        square = self.node("Pow", centered, self.constant("two", 2.0))
        variance = self.node("ReduceMean", square, axes=[-1])
        deviation = self.node("Sqrt", self.add(variance, self.constant("epsilon", 1e-5)))
        scaled = self.node("Mul", self.node("Div", centered, deviation), gamma)
        return self.add(scaled, beta)

    def gelu(self, x):
        erf = self.node("Erf", self.node("Div", x, self.constant("sqrt2", math.sqrt(2))))
        gate = self.add(erf, self.constant("one", 1.0))
        return self.node("Mul", self.node("Mul", x, gate), self.constant("half", 0.5))

    def heads_of(self, x, perm):
        x = self.reshape(x, 1, self.tokens, self.heads, self.width // self.heads)
        return self.node("Transpose", x, perm=perm)

    def attention(self, x, name, mask=None):
        # Queries and keys a little larger than Xavier's, or Softmax would see nearly equal numbers.
        q = self.heads_of(self.linear(x, self.width, self.width, name + ".q", 1.4), [0, 2, 1, 3])
        k = self.heads_of(self.linear(x, self.width, self.width, name + ".k", 1.4), [0, 2, 3, 1])
        v = self.heads_of(self.linear(x, self.width, self.width, name + ".v"), [0, 2, 1, 3])
        root = self.constant("sqrt_head", math.sqrt(self.width // self.heads))
        scores = self.node("Div", self.node("MatMul", q, k), root)
        if mask is not None:
            scores = self.add(scores, mask)
        y = self.node("MatMul", self.node("Softmax", scores, axis=-1), v)
        y = self.reshape(self.node("Transpose", y, perm=[0, 2, 1, 3]), 1, self.tokens, self.width)
        return self.linear(y, self.width, self.width, name + ".out", 0.5)

    def feed_forward(self, x, name):
        y = self.gelu(self.linear(x, self.width, 4 * self.width, name + ".up"))
        return self.linear(y, 4 * self.width, self.width, name + ".down", 0.5)


def bert(path, name, layers, tokens, width, heads, fused_norm):
    """Post-norm encoder with an additive mask: 0 where to look, very negative where not."""
    net = Encoder(name, layers, tokens, width, heads, fused_norm)
    x = "embeddings"
    for layer in range(layers):
        y = net.attention(x, f"layer{layer}.attention", "mask")
        x = net.norm(net.add(x, y), f"layer{layer}.norm1")
        x = net.norm(net.add(x, net.feed_forward(x, f"layer{layer}.ffn")), f"layer{layer}.norm2")
    net.write(path, {"embeddings": [1, tokens, width], "mask": [1, 1, 1, tokens]},
              {x: [1, tokens, width]})


def bert_base(path, small):
    if small:
        return bert(path, "bert_base", 2, 16, 64, 4, fused_norm=True)
    return bert(path, "bert_base", 12, 128, 768, 12, fused_norm=True)


def minilm_l6(path, small):
    if small:
        return bert(path, "minilm_l6", 2, 16, 48, 4, fused_norm=False)
    return bert(path, "minilm_l6", 6, 128, 384, 12, fused_norm=False)


def vit_b16(path, small):
    """Pre-norm encoder on 196 patches and a class token, and the classifier on the latter."""
    layers, tokens, width, heads, classes = (2, 17, 64, 4, 10) if small else (12, 197, 768, 12, 1000)
    net = Encoder("vit_b16", 16, tokens, width, heads)
    x = "patches"
    for layer in range(layers):
        x = net.add(x, net.attention(net.norm(x, f"layer{layer}.norm1"), f"layer{layer}.attention"))
        x = net.add(x, net.feed_forward(net.norm(x, f"layer{layer}.norm2"), f"layer{layer}.ffn"))
    x = net.norm(x, "norm")
    x = net.node("Gather", x, net.constant("class_token", [0]), axis=1)
    x = net.reshape(x, 1, width)
    w = net.weight("head.weight", [classes, width], 1 / math.sqrt(width))
    logits = net.node("Gemm", x, w, net.weight("head.bias", [classes], 0.02), transB=1)
    net.write(path, {"patches": [1, tokens, width]}, {logits: [1, classes]})
