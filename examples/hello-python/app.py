"""The smallest useful plugin in Python: sorts `n` numbers. The names are those of dyno's WIT, in Python's manner:
https://github.com/bytecodealliance/componentize-py says how types become values."""

import random

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import Failure_Error, Report


class Lifecycle(exports.Lifecycle):
    _one = None

    def __new__(cls):
        # Every call comes to a new object; what `setup` puts into one must be there in the next.
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    # `params` are those of the descriptor. Equal seeds must make equal work.
    def setup(self, benchmark, params, seed):
        if benchmark != "sort_python":
            raise Err(Failure_Error(f"there is no benchmark {benchmark}"))
        values = {param.name: param.value.value for param in params}
        numbers = random.Random(seed)
        self.numbers = [numbers.random() for _ in range(values["n"])]

    # A failure is raised as `Failure_Error`; what cannot run here, as `Failure_Skipped`. Other exceptions fail as well.
    def verify(self):
        ordered = sorted(self.numbers)
        if any(one > next for one, next in zip(ordered, ordered[1:])):
            raise Err(Failure_Error("the numbers are not in order"))

    def prepare(self, iterations):
        pass

    # The only timed call.
    def execute(self, iterations):
        smallest = 0.0
        for _ in range(iterations):
            smallest += sorted(self.numbers)[0]
        items = float(iterations * len(self.numbers))
        return Report(items=items, bytes=0.0, flop=0.0, checksum=int(smallest))

    def process_results(self, samples):
        pass

    def cleanup(self):
        self.numbers = []
