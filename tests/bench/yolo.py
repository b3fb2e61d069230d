"""An object detector: YOLOv5s, its backbone, neck and head, at 320x320."""

from network import Network

ANCHORS, CLASSES = 3, 80
VALUES = CLASSES + 5  # a box, its certainty, the classes


class Detector(Network):
    def unit(self, x, cin, cout, k=1, stride=1, pad=None):
        # SiLU lets through about 0.6 of what ReLU's He scale counts on.
        return self.silu(self.conv(x, cin, cout, k, stride, gain=1.3, pad=pad))

    def c3(self, x, cin, cout, repeats, shortcut=True):
        """Two branches, one of them a chain of bottlenecks, and what joins them."""
        half = cout // 2
        y = self.unit(x, cin, half)
        for _ in range(repeats):
            z = self.unit(y, half, half)
            z = self.silu(self.conv(z, half, half, 3, gain=0.6 if shortcut else 1.3))
            y = self.add(y, z) if shortcut else z
        return self.unit(self.concat(y, self.unit(x, cin, half)), cout, cout)

    def concat(self, *inputs):
        return self.node("Concat", *inputs, axis=1)

    def pyramid_pooling(self, x, channels):
        pools = [self.unit(x, channels, channels // 2)]
        for _ in range(3):
            pools.append(self.node("MaxPool", pools[-1], kernel_shape=[5, 5], pads=[2] * 4,
                                   strides=[1, 1]))
        return self.unit(self.concat(*pools), channels * 2, channels)

    def upsample(self, x):
        scales = self.constant("upsample.scales", [1.0, 1.0, 2.0, 2.0])
        return self.node("Resize", x, "", scales, mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")

    def head(self, x, channels, size):
        x = self.conv(x, channels, ANCHORS * VALUES, 1, gain=0.7)
        x = self.reshape(x, 1, ANCHORS, VALUES, size, size)
        x = self.node("Sigmoid", self.node("Transpose", x, perm=[0, 1, 3, 4, 2]))
        return self.reshape(x, 1, ANCHORS * size * size, VALUES)


def backbone(net, c, depths):
    """What strides 8, 16 and 32 see; c is the number of channels of the first."""
    x = net.unit("image", 3, c // 4, 6, 2, pad=2)
    x = net.c3(net.unit(x, c // 4, c // 2, 3, 2), c // 2, c // 2, depths[0])
    p3 = net.c3(net.unit(x, c // 2, c, 3, 2), c, c, depths[1])
    p4 = net.c3(net.unit(p3, c, 2 * c, 3, 2), 2 * c, 2 * c, depths[2])
    x = net.c3(net.unit(p4, 2 * c, 4 * c, 3, 2), 4 * c, 4 * c, depths[3])
    return p3, p4, net.pyramid_pooling(x, 4 * c)


def yolo(path, small):
    net = Detector("yolo", 5)
    size, c = (64, 32) if small else (320, 128)
    p3, p4, p5 = backbone(net, c, [1, 1, 1, 1] if small else [1, 2, 3, 1])
    t5 = net.unit(p5, 4 * c, 2 * c)
    t4 = net.c3(net.concat(net.upsample(t5), p4), 4 * c, 2 * c, 1, shortcut=False)
    t4 = net.unit(t4, 2 * c, c)
    n3 = net.c3(net.concat(net.upsample(t4), p3), 2 * c, c, 1, shortcut=False)
    n4 = net.c3(net.concat(net.unit(n3, c, c, 3, 2), t4), 2 * c, 2 * c, 1, shortcut=False)
    n5 = net.c3(net.concat(net.unit(n4, 2 * c, 2 * c, 3, 2), t5), 4 * c, 4 * c, 1, shortcut=False)
    heads = [net.head(n3, c, size // 8), net.head(n4, 2 * c, size // 16),
             net.head(n5, 4 * c, size // 32)]
    boxes = ANCHORS * sum((size // stride) ** 2 for stride in (8, 16, 32))
    net.write(path, {"image": [1, 3, size, size]},
              {net.node("Concat", *heads, axis=1): [1, boxes, VALUES]})
