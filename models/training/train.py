#!/usr/bin/python3
"""Models the school: trains the listener with CTC on the shards of synthesise.py for a given time.

bf16 autocast on the CPU is five times faster than fp32 where the processor has AVX512_BF16 (--fp32 for others). The
checkpoint holds everything and is written every few minutes and on Ctrl-C; starting again with the same file goes on.
"""
import argparse
import copy
import json
import math
import multiprocessing
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
    parser.add_argument("--batch", type=float, default=64, help="seconds of speech in a step (1200 for a large GPU)")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--warm", type=int, default=200, help="steps until the highest learning rate")
    parser.add_argument("--easy", type=int, default=300, help="steps with short sentences; clean ones fade out over four times as many")
    parser.add_argument("--gentle", type=float, default=0.1, help="share of clean sentences that stays to the end")
    parser.add_argument("--clip", type=float, default=2.0, help="largest gradient norm")
    parser.add_argument("--width", type=int, default=224)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--dropout", type=float, default=0.0, help="0: the augmentation does that work, and random numbers take a third of the time on a CPU")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches (8 or more beside a GPU)")
    parser.add_argument("--pupils", type=int, default=2, help="processes that train the same weights without waiting for each other (1 on a GPU)")
    parser.add_argument("--threads", type=int, default=1, help="of each pupil")
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
        self.examined = copy.deepcopy(self.model).eval()  # carries the running average of the weights, the one exported
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        self.optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=options.rate, betas=(0.9, 0.98))
        self.step, self.spent, self.heard = (multiprocessing.Value("d", 0.0) for _ in range(3))  # seen by all pupils
        self.log = []
        if options.checkpoint.exists():
            saved = torch.load(options.checkpoint, map_location=options.device)
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            with torch.no_grad():
                for own, mean in zip(self.examined.parameters(), saved["mean"]):
                    own.copy_(mean)
            self.step.value, self.spent.value, self.heard.value, self.log = saved["step"], saved["spent"], saved["heard"], saved["log"]
            print(f"goes on at step {saved['step']:.0f}, {saved['spent'] / 60:.1f} min", flush=True)
        if options.pupils > 1:
            self.model.share_memory()

    def save(self):
        state = {"model": self.model.state_dict(), "shape": self.model.shape, "mean": [p.detach() for p in self.examined.parameters()], "optimizer": self.optimizer.state_dict(),
                 "step": self.step.value, "spent": self.spent.value, "heard": self.heard.value, "log": self.log}
        temporary = self.o.checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        os.replace(temporary, self.o.checkpoint)

    def autocast(self):
        return torch.autocast(self.o.device.split(":")[0], torch.bfloat16, enabled=not self.o.fp32)

    def learn(self, seen, labels):
        done = min(1.0, self.spent.value / (self.o.minutes * 60))
        rate = self.o.rate * min(1.0, (self.step.value + 1) / self.o.warm) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
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
        size = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.o.clip)
        if torch.isfinite(size):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        for shared, more in ((self.step, 1), (self.heard, seen.shape[0] * seen.shape[1] / 100)):
            with shared.get_lock():
                shared.value += more
        return float(loss), float(size), rate

    def average(self):
        keep = min(0.998, self.step.value / (self.step.value + 50))
        mean = [p.detach() for p in self.examined.parameters()]
        torch._foreach_mul_(mean, keep)
        torch._foreach_add_(mean, [p.detach() for p in self.model.parameters()], alpha=1 - keep)

    def look(self, dev):
        """Measures the averaged weights on the dev shards."""
        with torch.no_grad(), self.autocast():
            return {name: score(lambda x: self.examined(torch.from_numpy(x).to(self.o.device)).float().cpu().numpy(), rows) for name, rows in dev.items()}


def plan(feed, school):
    """Short and clean sentences first: CTC finds the alignment sooner."""
    step, easy = school.step.value, school.o.easy
    feed.longest.value = 2.0 if step < easy else 4.0 if step < 2 * easy else 9.0
    feed.gentle.value = max(school.o.gentle, 1.0 - step / (4 * easy))


def accompany(school, feed):
    """A second pupil: its own sentences and its own optimizer, the same weights in shared memory, no waiting for the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(school.o.threads)
    while True:
        school.learn(*feed.next())


def main():
    o = arguments()
    school = School(o)
    feed, dev = Feed(o.data, o.batch, int(o.seed + school.step.value), o.noise, o.workers), load_dev(o.data)
    others = [multiprocessing.Process(target=accompany, args=(school, feed), daemon=True) for _ in range(o.pupils - 1)]
    for other in others:
        other.start()
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell may have set a background job to ignore Ctrl-C
        signal.signal(stop, signal.default_int_handler)
    print(f"{sum(p.numel() for p in school.model.parameters()) / 1e6:.2f} M parameters, {json.dumps(vars(o), default=str)}", flush=True)
    school.model.train()
    began, before, first = time.time(), school.spent.value, school.heard.value
    said, saved, looked, wait, losses, mean = began - 15, began, began, 0.0, [], 0.0
    try:
        while school.spent.value < o.minutes * 60:
            plan(feed, school)
            now = time.time()
            seen, labels = feed.next()
            wait += time.time() - now
            loss, size, rate = school.learn(seen, labels)
            school.average()
            losses.append(loss)
            now = time.time()
            school.spent.value = before + now - began
            if now - said > 20:
                mean = sum(losses) / len(losses)
                print(f"{school.spent.value / 60:6.1f} min  step {school.step.value:.0f}  loss {mean:.3f}  rate {rate:.5f}  gradient {size:.2f}  {school.heard.value / 3600:.1f} h heard, "
                      f"{(school.heard.value - first) / (now - began):.0f} times real time, waiting {100 * wait / (now - said):.0f} %", flush=True)
                said, wait, losses = now, 0.0, []
            if now - looked > o.look * 60 or school.spent.value >= o.minutes * 60:
                found = school.look(dev)
                school.log.append({"minutes": round(school.spent.value / 60, 1), "step": int(school.step.value), "hours": round(school.heard.value / 3600, 1), "loss": round(mean, 4),
                                   **{name: round(100 * errors["jamo"], 2) for name, errors in found.items()}})
                print("dev, label errors %:", {k: v for k, v in school.log[-1].items() if k in found}, flush=True)
                looked = time.time()
            if now - saved > o.save * 60:
                school.save()
                saved = time.time()
            if not all(other.is_alive() for other in others):
                raise RuntimeError("a pupil has died")
    except KeyboardInterrupt:
        print("stopped, the checkpoint is being written", flush=True)
    finally:
        for other in others:
            other.terminate()
    school.save()
    print(f"{school.step.value:.0f} steps, {school.heard.value / 3600:.1f} h heard in {school.spent.value / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
