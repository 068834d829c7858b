"""The layer graphs of both families as plume writes them into a checkpoint ("plume-graph-1"), built without plume."""


def conv(name, source, channels, kernel=3, bias=False):
    edge = kernel // 2
    return {"name": name, "kind": "conv2d", "inputs": [source], "channels": channels, "kernel": kernel, "stride": 1,
            "pad": [edge] * 4, "bias": bias}


def conv_transpose(name, source, channels, kernel, pad):
    return {"name": name, "kind": "conv_transpose2d", "inputs": [source], "channels": channels, "kernel": kernel,
            "stride": 2, "pad": pad, "bias": True}


def batch_norm(name, source, epsilon, momentum):
    return {"name": name, "kind": "batch_norm", "inputs": [source], "epsilon": epsilon, "momentum": momentum,
            "unbiased_variance": True}


def plain(name, kind, *sources):
    return {"name": name, "kind": kind, "inputs": list(sources)}


def graph(bands, classes, layers):
    activation = "sigmoid" if classes == 1 else "softmax"
    return {"format": "plume-graph-1", "input": {"bands": bands}, "activation": activation, "classes": classes,
            "layers": layers}


def classic(bands, classes=1, base=64, depth=4, up="transposed"):
    layers, last = [], "input"

    def double_conv(block, channels):
        nonlocal last
        for index in (1, 2):
            names = [f"{block}.{kind}{index}" for kind in ("conv", "norm", "relu")]
            layers.append(conv(names[0], last, channels))
            layers.append(batch_norm(names[1], names[0], 1e-5, 0.1))
            layers.append(plain(names[2], "relu", names[1]))
            last = names[2]

    for level in range(depth + 1):
        if level > 0:
            layers.append(plain(f"pool{level - 1}", "max_pool", last))
            last = f"pool{level - 1}"
        double_conv(f"enc{level}", base << level)
    for level in reversed(range(depth)):
        if up == "transposed":
            layers.append(conv_transpose(f"up{level}", last, base << level, 2, [0, 0, 0, 0]))
        else:
            layers.append(plain(f"up{level}.resize", "upsample_bilinear", last))
        layers.append(plain(f"cat{level}", "concat", f"enc{level}.relu2", layers[-1]["name"]))
        last = f"cat{level}"
        double_conv(f"dec{level}", base << level)
    layers.append(conv("head", last, classes, kernel=1, bias=True))
    return graph(bands, classes, layers)


def pixel_detector(bands, classes=1, width=24, depth=4, wide=32):
    layers = [conv("stem", "input", width, bias=True), plain("stem.relu", "relu", "stem")]
    last, units, skips = "stem.relu", 0, []

    def unit(channels, up=False):
        nonlocal last, units
        units += 1
        layers.append(batch_norm(f"norm{units}", last, 1e-3, 0.99))
        convolution = conv_transpose(f"conv{units}", f"norm{units}", channels, 3, [0, 0, 1, 1]) if up else conv(
            f"conv{units}", f"norm{units}", channels, bias=True)
        layers.append(convolution)
        layers.append(plain(f"relu{units}", "relu", f"conv{units}"))
        last = f"relu{units}"

    for level in range(depth):
        for _ in range(1 if level == 0 else 2):
            unit(width)
        skips.append(last)
        unit(width)
        layers.append(plain(f"pool{level}", "max_pool", last))
        last = f"pool{level}"
    unit(width)
    unit(width)
    for level in reversed(range(depth)):
        unit(width, up=True)
        layers.append(plain(f"cat{level}", "concat", last, skips[level]))
        last = f"cat{level}"
        unit(wide)
        unit(width)
    layers.append(conv("head", last, classes, kernel=1, bias=True))
    return graph(bands, classes, layers)
