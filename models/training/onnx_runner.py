"""Models the terminal's runtime for measurements: hands features to onnxruntime-node and takes log probabilities back.

Debian has no onnxruntime for Python, and what counts is the runtime the terminal uses: the project's own node_modules.
"""
import pathlib
import struct
import subprocess

import numpy as np

_JS = """
import * as ort from "onnxruntime-node";
import { readSync, writeSync } from "node:fs";
const session = await ort.InferenceSession.create(process.argv[1], { intraOpNumThreads: Number(process.argv[2]), interOpNumThreads: 1 });
const read = (n) => { const b = Buffer.alloc(n); let at = 0; while (at < n) { let got; try { got = readSync(0, b, at, n - at); } catch (e) { if (e.code === "EAGAIN") continue; throw e; } if (got === 0) return null; at += got; } return b; };
const write = (b) => { let at = 0; while (at < b.length) { try { at += writeSync(1, b, at); } catch (e) { if (e.code !== "EAGAIN") throw e; } } };
for (;;) {
  const head = read(4);
  if (head === null) break;
  const frames = head.readUInt32LE(0);
  const body = read(frames * 320);
  const features = new Float32Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.length));
  const start = process.hrtime.bigint();
  const { log_probs: out } = await session.run({ features: new ort.Tensor("float32", features, [1, frames, 80]) });
  const spent = Number(process.hrtime.bigint() - start) / 1e6;
  const front = Buffer.alloc(16);
  front.writeUInt32LE(out.dims[1], 0); front.writeUInt32LE(out.dims[2], 4); front.writeDoubleLE(spent, 8);
  write(Buffer.concat([front, Buffer.from(out.data.buffer, out.data.byteOffset, out.data.byteLength)]));
}
"""


class Runner:
    def __init__(self, model, threads=2):
        root = pathlib.Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(["node", "--input-type=module", "-e", _JS, str(pathlib.Path(model).resolve()), str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)
        self.milliseconds, self.frames = 0.0, 0

    def run(self, features):
        """[1, T, 80] -> [1, T', labels]."""
        self.process.stdin.write(struct.pack("<I", features.shape[1]) + np.ascontiguousarray(features, "<f4").tobytes())
        self.process.stdin.flush()
        count, labels, spent = struct.unpack("<IId", self._take(16))
        self.milliseconds, self.frames = self.milliseconds + spent, self.frames + features.shape[1]
        return np.frombuffer(self._take(count * labels * 4), "<f4").reshape(1, count, labels)

    def _take(self, size):
        data = self.process.stdout.read(size)
        if len(data) != size:
            raise RuntimeError("onnxruntime-node ended; is the project installed (npm ci)?")
        return data

    def close(self):
        self.process.stdin.close()
        self.process.wait()
