class SortSuite:
    params = ([10, 1000], ["heap", "quick"])
    param_names = ["n", "algorithm"]
    repeat = 1
    warmup_time = 0

    def setup(self, n, algorithm):
        self.data = list(range(n))

    def time_sort(self, n, algorithm):
        sort(self.data, algorithm)

    def peakmem_sort(self, n, algorithm):
        sort(self.data, algorithm)


class Deadline:
    def time_left(self):
        return self.end
