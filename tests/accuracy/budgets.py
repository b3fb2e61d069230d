#!/usr/bin/env python3
"""Quantizes every float classifier of the shared models with --max-drop 0, replays its certificate,
and asks for what cannot be: tests/accuracy/budgets.py PROGRAM [NAME...]. Not a test: it takes minutes.
Prints a row a model: layers in INT8 and FP32, top-1 before and after, milliseconds, bytes."""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import wave

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
DATA = SHARED / "data"
FASHION = (["--data", f"{DATA}/fashion-mnist/t10k-images-idx3-ubyte.gz", "--scale", "1/255",
            "--labels", f"{DATA}/fashion-mnist/t10k-labels-idx1-ubyte.gz", "--samples", "2000"],
           ["--data", f"{DATA}/fashion-mnist/calib2048-images-idx3-ubyte.gz", "--scale", "1/255",
            "--samples", "256"])
PHOTOS = ["--data", f"{DATA}/imagenet/images", "--size", "224"]
ALONE = ["--threads", "1", "-q"]  # threads that wait for each other spin on a busy machine
MINUS_ONE = ["--scale", "1/127.5", "--mean", "1"]
IMAGENET = ["--scale", "1/255", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]


def photos(scale, labels):
    return ([*PHOTOS, *scale, "--labels", f"{DATA}/imagenet/{labels}"],
            [*PHOTOS, *scale, "--samples", "50"])


def write_npy(path, descr, shape, content):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content)
    return path


def records(folder, name, limit):
    """CIFAR's records as .npy: pictures and labels."""
    raw = subprocess.run(["zstd", "-dc", DATA / "cifar10" / f"{name}.bin.zst"], check=True,
                         capture_output=True).stdout
    rows = [raw[i:i + 3073] for i in range(0, min(len(raw), 3073 * limit), 3073)]
    return (write_npy(folder / f"{name}.images.npy", "|u1", (len(rows), 3, 32, 32),
                      b"".join(r[1:] for r in rows)),
            write_npy(folder / f"{name}.labels.npy", "|u1", (len(rows),),
                      bytes(r[0] for r in rows)))


def cifar(folder):
    images, labels = records(folder, "cifar10_jpeg_test_dev5000", 2000)
    calibration, _ = records(folder, "cifar10_jpeg_train512", 256)
    return (["--data", images, *IMAGENET, "--labels", labels],
            ["--data", calibration, *IMAGENET])


def magika(folder):
    """76 files as bytes, with their kinds; every second one to calibrate with."""
    names = json.loads((DATA / "magika/standard_v3_3.config.min.json").read_text())
    kinds = json.loads((DATA / "magika/magika_standard_v3_3_labels.json").read_text())
    content = (DATA / "magika/magika_v3_3_inputs_76x2048.i32").read_bytes()
    files = write_npy(folder / "magika.npy", "<i4", (len(kinds), 2048), content)
    labels = [names["target_labels_space"].index(kind) for kind in kinds]
    labels = write_npy(folder / "magika.labels.npy", "<i8", (len(kinds),),
                       struct.pack(f"<{len(labels)}q", *labels))
    return ["--data", files, "--labels", labels], ["--data", files, "--samples", "38"]


def speech(folder):
    """Seconds of speech that begin every half second, without labels: judged by what FP32 answers."""
    with wave.open(str(DATA / "audio/silero_test.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        raw = file.readframes(file.getnframes())
    sound = struct.unpack(f"<{len(raw) // 2}h", raw)
    starts = range(0, len(sound) - 16000 + 1, 8000)
    values = [v / 32768 for start in starts for v in sound[start:start + 16000]]
    data = write_npy(folder / "speech.npy", "<f4", (len(starts), 16000),
                     struct.pack(f"<{len(values)}f", *values))
    return ["--data", data], ["--data", data, "--samples", "40"]


def unlabelled_photos(size):
    data = ["--data", f"{DATA}/imagenet/images", "--size", str(size), *MINUS_ONE]
    return data, [*data, "--samples", "50"]


def models(folder):
    """{name: (data to judge on, data to calibrate with)}"""
    mnist = ["--data", f"{DATA}/mnist/t10k-images-idx3-ubyte.gz"]
    return {
        "fashion_cnn": lambda: FASHION,
        "fashion_dwcnn_fp32": lambda: FASHION,
        "fashion_dwcnn_bn_fp32": lambda: FASHION,
        "fashion_vit_fp32": lambda: FASHION,
        "mnist-cntk": lambda: ([*mnist, "--samples", "2000", "--labels",
                                f"{DATA}/mnist/t10k-labels-idx1-ubyte.gz"],
                               [*mnist, "--samples", "256"]),
        "magika_standard_v3_3": lambda: magika(folder),
        "kwt1_fp32": lambda: speech(folder),
        "mlptiny_vww_96_float": lambda: unlabelled_photos(96),
        "resnet20_cifar10_fp32": lambda: cifar(folder),
        "mobilenet_v1_0.25_224_fp32": lambda: photos(MINUS_ONE, "labels_1001.npy"),
        "squeezenet1.1_fp32": lambda: photos(IMAGENET, "labels.npy"),
        "mobilenetv2_1.0_tf_fp32": lambda: photos(MINUS_ONE, "labels_1001.npy"),
    }


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def measure(program, name, judge, calibrate, folder):
    model = SHARED / "models/onnx" / f"{name}.onnx"
    stats, out = folder / f"{name}.imstat", folder / f"{name}.im"
    start = time.time()
    code, _, error = run(program, "calibrate", model, *calibrate, "--stats", stats, *ALONE)
    assert code == 0, error
    quantize = ("quantize", model, "-o", out, "--stats", stats, *judge, *ALONE, "--json")
    code, text, error = run(program, *quantize, "--max-drop", "0")
    assert code == 0, error
    plan, = [p for p in json.loads(text)["mixed"]["plans"] if p["chosen"]]
    plans = len(json.loads(text)["mixed"]["plans"])
    seconds = time.time() - start
    facts = {row["fact"]: row["value"] for row in
             json.loads(run(program, "inspect", out, "--json")[1])["certificate"]}
    replay, text, error = run(program, "verify", out, *judge, *ALONE, "--json")
    assert replay == 0, error
    impossible, text, error = run(program, *quantize, "--max-drop", "0", "--max-latency-ms",
                                  "0.0001")
    assert impossible == 1 and json.loads(text)["mixed"]["plans"], error
    layers = " ".join(f"{key} {count}" for key, count in plan["layers"].items() if count)
    top1 = (f"top-1 {facts['reference_top1']:6.2f} -> {facts['candidate_top1']:6.2f}"
            if "reference_top1" in facts else "top-1 by FP32      ")
    print(f"{name:28} {layers:20} {top1}  drop {plan['drop']:5.2f}  "
          f"{plan['latency_ms']:8.3f} ms {plan['bytes']:9} bytes  {plans:2} plans {seconds:5.0f} s  "
          f"replay {replay}  impossible {impossible}", flush=True)


def main():
    program, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for model, data in models(folder).items():
            if not names or model in names:
                measure(program, model, *data(), folder)


if __name__ == "__main__":
    main()
