//! Inside the plugin: `spmv`, a sparse matrix times a dense vector.

use dyno_sdk::prelude::*;

use crate::{
    buffers::Arrays,
    check, input,
    real::{Dtype, Kernel, Real},
};

#[derive(Params)]
pub(crate) struct SpmvParams {
    /// Rows and columns of the matrix
    #[param(default = 65_536, min = 1, max = 4_194_304)]
    n: usize,
    /// Elements in each row that are not zero; at most n
    #[param(default = 16, min = 1, max = 1024, unit = "elements")]
    row_length: usize,
    /// Where they are: `random` over the whole row, or `banded` around the diagonal
    #[param(default = "random")]
    pattern: Pattern,
    /// Float type
    #[param(default = "f64")]
    dtype: Dtype,
}

/// Where the elements of a row are.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Pattern {
    Random,
    Banded,
}

/// Sparse matrix in compressed rows (CSR, 32-bit indices) times a vector, on one thread
#[benchmark(name = "spmv", category = "linear-algebra", hardware = ["cpu"], tags = ["sparse", "bandwidth"])]
pub(crate) struct Spmv(Box<dyn Kernel>);

impl Benchmark for Spmv {
    type Params = SpmvParams;

    fn setup(params: SpmvParams, context: &Context) -> Result<Self, Failure> {
        let SpmvParams { n, row_length, pattern, dtype } = params;
        if row_length > n {
            return Err(Failure::error(format!(
                "row_length is {row_length}; a row of n={n} columns holds at most {n}"
            )));
        }
        let mut rng = rng(context.seed());
        Ok(Self(match dtype {
            Dtype::F32 => Box::new(System::<f32>::new(n, row_length, pattern, &mut rng)?),
            Dtype::F64 => Box::new(System::<f64>::new(n, row_length, pattern, &mut rng)?),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        Ok(self.0.run(iterations))
    }
}

struct System<T> {
    /// `starts` and `columns` of the matrix.
    indices: Arrays<u32, 2>,
    /// `values` of the matrix, `x` and `y`.
    numbers: Arrays<T, 3>,
}

/// Compressed rows: those of row i are `values[starts[i]..starts[i + 1]]`.
#[derive(Clone, Copy)]
struct Csr<'a, T> {
    starts: &'a [u32],
    columns: &'a [u32],
    values: &'a [T],
}

impl<T: Real> System<T> {
    fn new(n: usize, row_length: usize, pattern: Pattern, rng: &mut Rng) -> Result<Self, Failure> {
        let (rows, elements) = (n as f64, n as f64 * row_length as f64);
        input::fits("spmv", elements * (size_of::<T>() + 4) as f64 + rows * (2 * size_of::<T>() + 4) as f64)?;
        let mut indices = Arrays::among([n + 1, n * row_length], 0, 5);
        let [starts, columns] = indices.all_mut();
        for (row, columns) in columns.chunks_exact_mut(row_length).enumerate() {
            // Of a band. At random: one in each of `row_length` equal parts of the row, distinct and in order.
            let first = row.saturating_sub(row_length / 2).min(n - row_length);
            for (part, column) in columns.iter_mut().enumerate() {
                *column = match pattern {
                    Pattern::Random => {
                        let (start, end) = (part * n / row_length, (part + 1) * n / row_length);
                        (start + rng.below((end - start) as u64) as usize) as u32
                    }
                    Pattern::Banded => (first + part) as u32,
                };
            }
        }
        for (row, start) in starts.iter_mut().enumerate() {
            *start = (row * row_length) as u32;
        }
        let mut numbers = Arrays::among([n * row_length, n, n], 2, 5);
        let [values, x, _] = numbers.all_mut();
        input::signed(rng, values);
        input::signed(rng, x);
        Ok(Self { indices, numbers })
    }

    /// The matrix, `x`, and `y` to be written.
    fn parts(&mut self) -> (Csr<'_, T>, &[T], &mut [T]) {
        let [starts, columns] = self.indices.all();
        let [values, x, y] = self.numbers.all_mut();
        (Csr { starts, columns, values }, x, y)
    }
}

impl<T: Real> Kernel for System<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.run(1);
        let (matrix, x, y) = self.parts();
        check(matrix, x, y)
    }

    fn run(&mut self, iterations: u64) -> Report {
        let (matrix, x, y) = self.parts();
        for _ in 0..iterations {
            multiply(black_box(matrix), black_box(x), black_box(&mut *y));
        }
        let (rows, elements, size) = (x.len() as f64, matrix.values.len() as f64, size_of::<T>() as f64);
        let bytes = elements * (size + 4.0) + (rows + 1.0) * 4.0 + rows * 2.0 * size;
        let turns = iterations as f64;
        Report::new()
            .items(turns * elements)
            .bytes(turns * bytes)
            .flop(turns * 2.0 * elements)
            .checksum(check::checksum(y))
    }
}

fn multiply<T: Real>(matrix: Csr<'_, T>, x: &[T], y: &mut [T]) {
    for (y, bounds) in y.iter_mut().zip(matrix.starts.windows(2)) {
        let row = bounds[0] as usize..bounds[1] as usize;
        let (columns, values) = (&matrix.columns[row.clone()], &matrix.values[row]);
        // Four sums, so that an addition need not wait for the one before it.
        let mut sums = [T::default(); 4];
        let (columns, last_columns) = columns.as_chunks::<4>();
        let (values, last_values) = values.as_chunks::<4>();
        for (columns, values) in columns.iter().zip(values) {
            for lane in 0..4 {
                sums[lane] += values[lane] * x[columns[lane] as usize];
            }
        }
        for (column, value) in last_columns.iter().zip(last_values) {
            sums[0] += *value * x[*column as usize];
        }
        *y = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
}

/// In `f64`, element by element from the last to the first, whatever their row.
fn check<T: Real>(matrix: Csr<'_, T>, x: &[T], y: &[T]) -> Result<(), Failure> {
    let mut expected = vec![0.0; y.len()];
    let mut row = y.len();
    for element in (0..matrix.values.len()).rev() {
        while row > 0 && matrix.starts[row] as usize > element {
            row -= 1;
        }
        expected[row] += matrix.values[element].wide() * x[matrix.columns[element] as usize].wide();
    }
    let longest = matrix.starts.windows(2).map(|bounds| bounds[1] - bounds[0]).max().unwrap_or(0);
    let tolerance = T::EPSILON * f64::from(longest.max(8));
    for (row, (got, expected)) in y.iter().zip(expected).enumerate() {
        check::close(|| format!("row {row}"), got.wide(), expected, tolerance)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_shape_pattern_and_type_is_right() {
        for (n, row_length) in [(1, 1), (5, 5), (10, 3), (1000, 17), (300, 64)] {
            for pattern in [Pattern::Random, Pattern::Banded] {
                for dtype in [Dtype::F32, Dtype::F64] {
                    testing::run::<Spmv>(SpmvParams { n, row_length, pattern, dtype }, 2).unwrap();
                }
            }
        }
    }

    #[test]
    fn the_columns_of_a_row_are_distinct_and_in_order() {
        for pattern in [Pattern::Random, Pattern::Banded] {
            let system = System::<f32>::new(97, 13, pattern, &mut rng(4)).unwrap();
            for row in system.indices.all()[1].chunks_exact(13) {
                assert!(row.is_sorted_by(|a, b| a < b) && row[12] < 97, "{row:?}");
            }
        }
    }

    #[test]
    fn a_wrong_row_is_found() {
        let mut system = System::<f64>::new(50, 7, Pattern::Random, &mut rng(4)).unwrap();
        system.verify().unwrap();
        let (matrix, x, y) = system.parts();
        y[49] += 1e-12;
        assert!(check(matrix, x, y).unwrap_err().message().starts_with("row 49"));
    }

    #[test]
    fn rows_longer_than_the_matrix_and_too_many_elements_are_refused() {
        let params =
            |n, row_length| SpmvParams { n, row_length, pattern: Pattern::Random, dtype: Dtype::F64 };
        let long = testing::run::<Spmv>(params(5, 6), 1).unwrap_err();
        assert_eq!(long.message(), "row_length is 6; a row of n=5 columns holds at most 5");
        let large = testing::run::<Spmv>(params(4_194_304, 1024), 1).unwrap_err();
        assert!(large.message().starts_with("spmv needs"));
    }
}
