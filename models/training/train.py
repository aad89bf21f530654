#!/usr/bin/python3
"""Models the school: trains the listener with CTC on the shards of synthesise.py for a given time.

bf16 autocast on the CPU is five times faster than fp32 where the processor has AVX512_BF16 (--fp32 for others). The
checkpoint holds everything and is written every few minutes and on Ctrl-C; starting again with the same file goes on.
"""
import argparse
import json
import math
import os
import pathlib
import signal
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers' small products must not fight over the cores
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # nor threads that wait

import torch
import torch.nn.functional as F

from corpus import Feed
from measure import load_dev, score
from network import Listener
from tokens import TOKENS


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder with the shards")
    parser.add_argument("checkpoint", type=pathlib.Path, help="written, and continued from when it exists")
    parser.add_argument("--minutes", type=float, default=75, help="training time in all, over all starts")
    parser.add_argument("--batch", type=float, default=96, help="seconds of speech in a step (1200 for a large GPU)")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--warm", type=int, default=200, help="steps until the highest learning rate")
    parser.add_argument("--easy", type=int, default=300, help="steps with short sentences; clean ones fade out over four times as many")
    parser.add_argument("--width", type=int, default=224)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--dropout", type=float, default=0.0, help="0: the augmentation does that work, and random numbers take a third of the time on a CPU")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches (8 or more beside a GPU)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--fp32", action="store_true")
    parser.add_argument("--noise", type=pathlib.Path, help="folder with WAV recordings of noise (16 kHz mono), optional")
    parser.add_argument("--save", type=float, default=3, help="minutes between checkpoints")
    parser.add_argument("--look", type=float, default=6, help="minutes between measurements on the dev shards")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class School:
    def __init__(self, options):
        self.o = options
        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.model = Listener(len(TOKENS), width=options.width, layers=options.layers, inner=2 * options.width, dropout=options.dropout).to(options.device)
        self.mean = [p.detach().clone() for p in self.model.parameters()]  # running average of the weights, the one exported
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        self.optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=options.rate, betas=(0.9, 0.98))
        self.step, self.spent, self.heard, self.log = 0, 0.0, 0.0, []
        if options.checkpoint.exists():
            saved = torch.load(options.checkpoint, map_location=options.device)
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.mean = [p.to(options.device) for p in saved["mean"]]
            self.step, self.spent, self.heard, self.log = saved["step"], saved["spent"], saved["heard"], saved["log"]
            print(f"goes on at step {self.step}, {self.spent / 60:.1f} min", flush=True)

    def save(self):
        state = {"model": self.model.state_dict(), "shape": self.model.shape, "mean": self.mean, "optimizer": self.optimizer.state_dict(),
                 "step": self.step, "spent": self.spent, "heard": self.heard, "log": self.log}
        temporary = self.o.checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        os.replace(temporary, self.o.checkpoint)

    def autocast(self):
        return torch.autocast(self.o.device.split(":")[0], torch.bfloat16, enabled=not self.o.fp32)

    def learn(self, seen, labels):
        done = min(1.0, self.spent / (self.o.minutes * 60))
        rate = self.o.rate * min(1.0, (self.step + 1) / self.o.warm) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self.autocast():
            last, half = self.model(torch.from_numpy(seen).to(self.o.device), middle=True)
        flat = torch.tensor([label for row in labels for label in row], dtype=torch.long)
        lengths, frames = torch.tensor([len(row) for row in labels]), torch.full((len(labels),), last.shape[1])

        def ctc(out):
            return F.ctc_loss(out.transpose(0, 1), flat.to(out.device), frames, lengths, reduction="sum", zero_infinity=True) / max(1, len(flat))
        loss = ctc(last)
        (loss + 0.3 * ctc(half)).backward()
        size = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(size):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        keep = min(0.998, self.step / (self.step + 50))
        torch._foreach_mul_(self.mean, keep)
        torch._foreach_add_(self.mean, [p.detach() for p in self.model.parameters()], alpha=1 - keep)
        self.heard += seen.shape[0] * seen.shape[1] / 100
        return float(loss), float(size), rate

    def look(self, dev):
        """Measures the averaged weights on the dev shards."""
        own = [p.detach().clone() for p in self.model.parameters()]
        with torch.no_grad():
            for p, m in zip(self.model.parameters(), self.mean):
                p.copy_(m)
            self.model.eval()
            with self.autocast():
                found = {name: score(lambda x: self.model(torch.from_numpy(x).to(self.o.device)).float().cpu().numpy(), rows) for name, rows in dev.items()}
            self.model.train()
            for p, m in zip(self.model.parameters(), own):
                p.copy_(m)
        return found


def main():
    o = arguments()
    school = School(o)
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell may have set a background job to ignore Ctrl-C
        signal.signal(stop, signal.default_int_handler)
    feed, dev = Feed(o.data, o.batch, o.seed + school.step, o.noise, o.workers), load_dev(o.data)
    print(f"{sum(p.numel() for p in school.model.parameters()) / 1e6:.2f} M parameters, {json.dumps(vars(o), default=str)}", flush=True)
    school.model.train()
    began, before, said, saved, looked, wait, losses = time.time(), school.spent, 0.0, time.time(), time.time(), 0.0, []
    try:
        while school.spent < o.minutes * 60:
            # short and clean sentences first: CTC finds the alignment sooner
            feed.longest.value = 2.0 if school.step < o.easy else 4.0 if school.step < 2 * o.easy else 9.0
            feed.gentle.value = max(0.0, 1.0 - school.step / (4 * o.easy))
            now = time.time()
            seen, labels = feed.next()
            wait += time.time() - now
            loss, size, rate = school.learn(seen, labels)
            losses.append(loss)
            now = time.time()
            school.spent = before + now - began
            if school.step <= 3 or now - said > 20:
                share = wait / max(1e-6, now - (said or began))
                print(f"{school.spent / 60:6.1f} min  step {school.step}  loss {sum(losses) / len(losses):.3f}  rate {rate:.5f}  gradient {size:.2f}  "
                      f"{school.heard / 3600:.1f} h heard, {school.heard / max(1, school.spent):.0f} times real time, waiting {100 * share:.0f} %", flush=True)
                said, wait, mean = now, 0.0, sum(losses) / len(losses)
                losses = []
            if now - looked > o.look * 60 or school.spent >= o.minutes * 60:
                found = school.look(dev)
                school.log.append({"minutes": round(school.spent / 60, 1), "step": school.step, "hours": round(school.heard / 3600, 1), "loss": round(mean, 4),
                                   **{name: round(100 * errors["jamo"], 2) for name, errors in found.items()}})
                print("dev, label errors %:", {k: v for k, v in school.log[-1].items() if k in found}, flush=True)
                looked = time.time()
            if now - saved > o.save * 60:
                school.save()
                saved = time.time()
    except KeyboardInterrupt:
        print("stopped, the checkpoint is being written", flush=True)
    school.save()
    print(f"{school.step} steps, {school.heard / 3600:.1f} h heard in {school.spent / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
