#!/usr/bin/python3
"""Models the handing over: checkpoint to an int8 ONNX file, its tokens and its description.

Constant matrices become 7-bit integers with one scale a column (7, so that processors without VNNI do not saturate);
activations are quantised as they come (DynamicQuantizeLinear, MatMulInteger). Convolutions and norms stay float.
Writes model.onnx, tokens.json, model.json and reference.json; with --float also model-float.onnx for comparison.
"""
import argparse
import hashlib
import json
import pathlib
import tempfile

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import front_end
from network import SPLIT, STRIDE, restore
from onnx_runner import Runner
from tokens import TOKENS

OPSET, IR = 17, 8


class _Plain(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features):
        return self.model(features)


def to_onnx(model):
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(_Plain(model), (torch.randn(1, 237, front_end.MELS),), file.name, input_names=["features"], output_names=["log_probs"],
                          dynamic_axes={"features": {1: "frames"}, "log_probs": {1: "steps"}}, opset_version=OPSET, do_constant_folding=True)
        graph = onnx.load(file.name)
    graph.ir_version = IR
    graph.producer_name, graph.producer_version = "models/training", ""
    for node in graph.graph.node:
        node.doc_string = ""
    return graph


def _quantised(matrix):
    scale = np.maximum(np.abs(matrix).max(0), 1e-9) / 63
    return np.clip(np.round(matrix / scale), -63, 63).astype(np.int8), scale.astype(np.float32)


def quantise(model):
    """MatMul with a constant right side -> integer product; everything else is untouched."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes, prepared, replaced = [], set(), set()
    for node in graph.node:
        constant = constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if constant is None or len(constant.dims) != 2:
            nodes.append(node)
            continue
        left, name, out = node.input[0], constant.name, node.output[0]
        if name not in replaced:
            values, scale = _quantised(numpy_helper.to_array(constant))
            graph.initializer.extend([numpy_helper.from_array(values, name + ".q"), numpy_helper.from_array(scale, name + ".scale"),
                                      numpy_helper.from_array(np.zeros((), np.int8), name + ".zero")])
            replaced.add(name)
        if left not in prepared:
            nodes.append(helper.make_node("DynamicQuantizeLinear", [left], [left + ".u8", left + ".step", left + ".offset"], name=left + ".quantise"))
            prepared.add(left)
        nodes += [helper.make_node("MatMulInteger", [left + ".u8", name + ".q", left + ".offset", name + ".zero"], [out + ".i32"], name=out + ".product"),
                  helper.make_node("Cast", [out + ".i32"], [out + ".f32"], name=out + ".cast", to=TensorProto.FLOAT),
                  helper.make_node("Mul", [left + ".step", name + ".scale"], [out + ".unit"], name=out + ".unit"),
                  helper.make_node("Mul", [out + ".f32", out + ".unit"], [out], name=out + ".back")]
    kept = [tensor for tensor in graph.initializer if tensor.name not in replaced]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return model


def reference_signal():
    """Half a second: a chirp from 200 Hz to 3200 Hz and a tone, by formula, so that another language can make it too."""
    t = np.arange(8000) / front_end.RATE
    return (0.4 * np.sin(2 * np.pi * (200 * t + 3000 * t * t)) + 0.1 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)


def reference(model_path):
    seen = front_end.features(reference_signal())
    runner = Runner(model_path)
    found = runner.run(seen[None])[0]
    runner.close()
    return {
        "signal": "x[n] = 0.4 sin(2 pi (200 t + 3000 t^2)) + 0.1 sin(2 pi 1000 t), t = n / 16000, n = 0 .. 7999",
        "frames": len(seen), "steps": len(found), "featureTolerance": 1e-3,
        "features": {str(row): [round(float(v), 5) for v in seen[row]] for row in (0, 1, 25, len(seen) - 1)},
        "featureSum": round(float(seen.sum()), 3),
        "argmax": [int(v) for v in found.argmax(-1)],
        "blankLogProbs": [round(float(v), 3) for v in found[:, 0]],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, help="folder, for example models/bundled/hearing")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--float", action="store_true", help="also write model-float.onnx")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = restore(options.checkpoint)
    graph = to_onnx(model)
    if options.float:
        onnx.save(graph, str(options.out / "model-float.onnx"))
    path = options.out / "model.onnx"
    onnx.save(quantise(graph), str(path))
    (options.out / "tokens.json").write_text(json.dumps(TOKENS, ensure_ascii=True) + "\n")
    content = path.read_bytes()
    description = {
        "name": "saypay-hearing", "version": options.version, "kind": "ctc", "languages": ["ko", "en"],
        "file": "model.onnx", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        "parameters": sum(p.numel() for name, p in model.named_parameters() if not name.startswith("middle")),
        "input": {"name": "features", "shape": [1, "frames", front_end.MELS]},
        "output": {"name": "log_probs", "shape": [1, f"{SPLIT} * ceil(frames / {STRIDE})", len(TOKENS)], "values": "natural log probabilities"},
        "frameStrideMs": 10 * STRIDE // SPLIT, "blank": 0, "tokens": "tokens.json", "silentOnset": "omitted", "spaces": "omitted", "normalization": "NFD jamo; NFC after the silent onset U+110B is put back before every vowel without an onset",
        "sampleRate": front_end.RATE,
        "frontEnd": {"fftSize": front_end.N_FFT, "hop": front_end.HOP, "window": "hann periodic", "centered": True, "padding": "reflect", "lastFrame": "dropped", "spectrum": "power",
                     "mels": front_end.MELS, "lowHz": 0, "highHz": 8000, "melScale": "slaney", "melNorm": "slaney", "log": "log10(max(x, 1e-10))",
                     "floor": front_end.FLOOR, "shift": front_end.SHIFT, "scale": front_end.SCALE, "formula": "(max(L, floor) + shift) / scale"},
        "reference": "reference.json", "license": "Apache-2.0",
    }
    (options.out / "model.json").write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    (options.out / "reference.json").write_text(json.dumps(reference(path)) + "\n")
    print(f"{len(content) / 1e6:.2f} MB, {description['parameters'] / 1e6:.2f} M parameters, sha256 {description['sha256']}")


if __name__ == "__main__":
    main()
