import time
import torch
from benchmark_core import BenchmarkBase, BenchmarkRegistry


@BenchmarkRegistry.register(name="text_classifier", category="inference", models=["bert", "t5"], hardware="all")
class TextBenchmark(BenchmarkBase):
    """Inference of a classifier."""

    def setup(self):
        self.batch = self.config.get("batch_size", 8)
        self.model = load(self.config["model"]).to("cuda")

    def execute(self):
        start = time.time()
        out = self.model(self.batch)
        seconds = time.time() - start
        return {"seconds": seconds, "out": out}

    def process_results(self, raw):
        return {"metrics": raw}
