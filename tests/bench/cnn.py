"""Networks that classify pictures: ResNet-50, MobileNetV2, EfficientNet-B0."""

from network import Network


def picture(small):
    return [1, 3, 64, 64] if small else [1, 3, 224, 224]


def finish(net, path, small, x, channels):
    classes = 10 if small else 1000
    net.write(path, {"image": picture(small)}, {net.classifier(x, channels, classes): [1, classes]})


def resnet50(path, small):
    net = Network("resnet50", 50)
    base = 16 if small else 64
    x = net.relu(net.conv("image", 3, base, 7, 2))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    cin = base
    for stage, blocks in enumerate([1, 2] if small else [3, 4, 6, 3]):
        width = base << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = net.conv(x, cin, width * 4, 1, stride, gain=0.7) if block == 0 else x
            y = net.relu(net.conv(x, cin, width, 1))
            y = net.relu(net.conv(y, width, width, 3, stride))
            x = net.relu(net.add(net.conv(y, width, width * 4, 1, gain=0.3), shortcut))
            cin = width * 4
    finish(net, path, small, x, cin)


# MobileNetV2: expansion, channels, repeats, first stride.
MOBILENETV2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
               (6, 160, 3, 2), (6, 320, 1, 1)]


def mobilenetv2(path, small):
    net = Network("mobilenetv2", 2)

    def relu6(x):
        return net.node("Clip", x, net.constant("relu6.min", 0.0), net.constant("relu6.max", 6.0))

    x = relu6(net.conv("image", 3, 32, 3, 2))
    cin = 32
    for expand, cout, repeats, first_stride in MOBILENETV2[:3] if small else MOBILENETV2:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            hidden = cin * expand
            y = relu6(net.conv(x, cin, hidden, 1)) if expand > 1 else x
            y = relu6(net.conv(y, hidden, hidden, 3, stride, groups=hidden))
            y = net.conv(y, hidden, cout, 1, gain=0.7)
            x = net.add(x, y) if stride == 1 and cin == cout else y
            cin = cout
    last = 128 if small else 1280
    finish(net, path, small, relu6(net.conv(x, cin, last, 1)), last)


# EfficientNet-B0: expansion, channels, repeats, first stride, kernel.
EFFICIENTNET_B0 = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                   (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]


def squeeze_excite(net, x, channels, squeezed):
    y = net.node("GlobalAveragePool", x)
    y = net.silu(net.conv(y, channels, squeezed, 1))
    return net.node("Mul", x, net.node("Sigmoid", net.conv(y, squeezed, channels, 1)))


def efficientnet_b0(path, small):
    net = Network("efficientnet_b0", 3)
    # SiLU and the squeeze-excite gate each halve what goes through: gains above 1 make up for it.
    x = net.silu(net.conv("image", 3, 32, 3, 2, gain=1.4))
    cin = 32
    for expand, cout, repeats, first_stride, k in EFFICIENTNET_B0[:3] if small else EFFICIENTNET_B0:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            hidden = cin * expand
            y = net.silu(net.conv(x, cin, hidden, 1, gain=1.3)) if expand > 1 else x
            y = net.silu(net.conv(y, hidden, hidden, k, stride, groups=hidden, gain=1.3))
            y = squeeze_excite(net, y, hidden, cin // 4)
            y = net.conv(y, hidden, cout, 1, gain=1.6)
            x = net.add(x, y) if stride == 1 and cin == cout else y
            cin = cout
    last = 128 if small else 1280
    finish(net, path, small, net.silu(net.conv(x, cin, last, 1, gain=1.3)), last)
