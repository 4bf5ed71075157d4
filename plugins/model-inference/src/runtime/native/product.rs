//! The matrix product, by the crate `gemm`.

use gemm::Parallelism;

/// A matrix in a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    /// From a row to the next.
    row_stride: usize,
    /// From a column to the next.
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix whose rows follow each other.
    pub(super) fn whole(numbers: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::wide(numbers, rows, columns, columns)
    }

    /// The first columns of a matrix whose rows are `stride` numbers apart.
    pub(super) fn wide(numbers: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { numbers, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// The same matrix with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn is_inside(&self) -> bool {
        let last = self.rows.saturating_sub(1) * self.row_stride
            + self.columns.saturating_sub(1) * self.column_stride;
        self.rows == 0 || self.columns == 0 || last < self.numbers.len()
    }
}

/// `to = factor · left · right`, with the rows of `to` one after the other.
#[allow(unsafe_code, reason = "the crate `gemm` takes pointers and strides and offers no other door")]
pub(super) fn multiply(
    to: &mut [f32],
    left: Matrix<'_>,
    right: Matrix<'_>,
    factor: f32,
    parallelism: Parallelism,
) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "a product needs as many columns as rows");
    assert_eq!(to.len(), rows * columns, "the size of the product");
    assert!(left.is_inside() && right.is_inside(), "the sizes of the factors");
    // SAFETY: the last number of each factor lies in its slice and the product fills its own, as asserted above; `to` is borrowed
    // mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            to.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.numbers.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.numbers.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            0.0,
            factor,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_and_transposition_are_respected() {
        // Columns 1 and 2 of a 2 × 4 matrix, times the transpose of a 3 × 2 matrix.
        let left = [0.0, 1.0, 2.0, 9.0, 0.0, 3.0, 4.0, 9.0];
        let right = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let mut to = [0.0; 6];
        let left = Matrix::wide(&left[1..], 2, 2, 4);
        multiply(&mut to, left, Matrix::whole(&right, 3, 2).transposed(), 0.5, Parallelism::None);
        assert_eq!(to, [10.5, 21.0, 31.5, 21.5, 43.0, 64.5]);
    }

    #[test]
    #[should_panic(expected = "the sizes of the factors")]
    fn a_factor_that_ends_too_early_is_refused() {
        let mut to = [0.0; 4];
        multiply(
            &mut to,
            Matrix::wide(&[0.0; 5], 2, 2, 4),
            Matrix::whole(&[0.0; 4], 2, 2),
            1.0,
            Parallelism::None,
        );
    }
}
