#!/usr/bin/env bash
# From a fresh clone to a verified 8-bit model: installs, builds, quantizes a small image classifier,
# compares it with the float model on 10,000 real images, times both, and ends with one JSON line.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build-quickstart
data=samples/data
model=$data/fashion_cnn.onnx
quantized=$folder/fashion_cnn.im
scale=0.00392156862745098  # the model wants pixel / 255

step() { printf '\n== %s\n' "$*"; }

# The number behind "key" in a JSON text; with a third argument, inside the object of that name.
number() {
  local inside=''
  [ $# -lt 3 ] || inside="\"$3\": *[{][^}]*"
  printf '%s' "$1" | tr -d '\n' | sed -nE "s/.*$inside\"$2\": *(-?[0-9.eE+-]+).*/\1/p"
}

step "dependencies"
tools/install-deps.sh --build

step "build"
cmake --preset release -B $folder -DINTMILL_TESTS=OFF >/dev/null
cmake --build $folder
intmill=$folder/src/cli/intmill

step "quantize, calibrated on 256 training images"
quantize=$($intmill quantize $model -o $quantized --json --samples 256 --scale $scale \
  --data image=$data/calib2048-images-idx3-ubyte.gz)
echo "$quantize"

step "verify on the 10,000 test images"
verify=$($intmill verify $model $quantized --json --scale $scale --max-drop 0.15 \
  --data image=$data/t10k-images-idx3-ubyte.gz --labels $data/t10k-labels-idx1-ubyte.gz)
echo "$verify"

step "bench, one image at a time, one thread"
fp32=$($intmill bench $model --json --threads 1 --duration 3)
int8=$($intmill bench $quantized --json --threads 1 --duration 3)
echo "$fp32"
echo "$int8"

step "result"
printf '{"fp32_top1":%s,"int8_top1":%s,"size_ratio":%s,"fp32_ms":%s,"int8_ms":%s}\n' \
  "$(number "$verify" top1 reference)" "$(number "$verify" top1 candidate)" \
  "$(number "$quantize" ratio)" "$(number "$fp32" median_ms)" "$(number "$int8" median_ms)"
