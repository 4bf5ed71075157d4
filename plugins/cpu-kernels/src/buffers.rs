//! Inside the plugin: where the arrays of a benchmark lie. An allocator puts them where it likes, and some places are
//! slow: a load waits for a store before it whose address has the same last 12 bits, and a copy by `rep movsb` between
//! equal offsets in a page takes another path in some processors. Here the places are chosen, the same in each launch.

use std::ops::Deref;

/// Of a page. Addresses that are equal modulo this can be taken for one another.
const PAGE: usize = 4096;
/// Of a huge page. A block that can hold one starts at one, so that as many fit as can.
const HUGE_PAGE: usize = 2 << 20;
/// Of two cache lines, which some processors fetch together.
const STEP: usize = 128;

/// `N` arrays in one block of memory: each starts in a page of its own, array i at i / N of it, in bytes a multiple
/// of 128. The block starts at a page, or at a huge page (2 MiB) where it is longer than one.
pub(crate) struct Arrays<T, const N: usize> {
    block: Vec<T>,
    starts: [usize; N],
    lengths: [usize; N],
}

impl<T: Copy + Default, const N: usize> Arrays<T, N> {
    /// Arrays of these lengths [elements], filled with the default value.
    pub(crate) fn new(lengths: [usize; N]) -> Self {
        Self::among(lengths, 0, N)
    }

    /// The same for a kernel that works on arrays of several types: these are the arrays from `first` on of `all`.
    pub(crate) fn among(lengths: [usize; N], first: usize, all: usize) -> Self {
        let size = size_of::<T>();
        assert!(size.is_power_of_two() && size <= STEP, "elements that fill a step");
        let mut starts = [0; N];
        let mut end = 0;
        for (i, (start, length)) in starts.iter_mut().zip(lengths).enumerate() {
            let place = (first + i) * PAGE / all / STEP * STEP;
            *start = (end * size).next_multiple_of(PAGE) / size + place / size;
            end = *start + length;
        }
        let bound = if end * size >= HUGE_PAGE { HUGE_PAGE } else { PAGE };
        // The allocator chooses the address; what lies before the first place that fits stays unused, and untouched.
        let block = vec![T::default(); end + bound / size];
        let skipped = block.as_ptr().addr().wrapping_neg() % bound / size;
        Self { block, starts: starts.map(|start| start + skipped), lengths }
    }

    /// The arrays.
    pub(crate) fn all(&self) -> [&[T]; N] {
        let mut index = 0;
        [(); N].map(|()| {
            let array = &self.block[self.starts[index]..][..self.lengths[index]];
            index += 1;
            array
        })
    }

    /// The arrays, to be written.
    pub(crate) fn all_mut(&mut self) -> [&mut [T]; N] {
        let (starts, lengths) = (self.starts, self.lengths);
        let mut rest = &mut self.block[..];
        let mut position = 0;
        let mut index = 0;
        [(); N].map(|()| {
            let (_, from) = std::mem::take(&mut rest).split_at_mut(starts[index] - position);
            let (array, after) = from.split_at_mut(lengths[index]);
            rest = after;
            position = starts[index] + lengths[index];
            index += 1;
            array
        })
    }
}

/// A text that starts at a page.
pub(crate) struct Text {
    block: String,
    start: usize,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let mut block = String::with_capacity(text.len() + PAGE);
        let start = block.as_ptr().addr().wrapping_neg() % PAGE;
        block.extend(std::iter::repeat_n(' ', start));
        block.push_str(text);
        Self { block, start }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.block[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets in a page, from the addresses.
    fn places<T, const N: usize>(arrays: [&[T]; N]) -> [usize; N] {
        arrays.map(|array| array.as_ptr().addr() % PAGE)
    }

    #[test]
    fn arrays_lie_at_different_places_of_their_pages_whatever_the_allocator_does() {
        for length in [1, 31, 512, 4096, 65_536, 1_000_003] {
            // Something of another length before each, so that the allocator answers differently.
            let before: Vec<u8> = vec![1; length / 3 + 17];
            assert_eq!(places(Arrays::<u8, 2>::new([length; 2]).all()), [0, 2048]);
            assert_eq!(places(Arrays::<f32, 4>::new([length, 3, length, 5]).all()), [0, 1024, 2048, 3072]);
            assert_eq!(places(Arrays::<f64, 3>::new([length; 3]).all()), [0, 1280, 2688]);
            assert_eq!(places(Arrays::<u32, 2>::among([length, 7], 0, 5).all()), [0, 768]);
            assert_eq!(places(Arrays::<f64, 3>::among([length; 3], 2, 5).all()), [1536, 2432, 3200]);
            assert_eq!(Text::new(&"x".repeat(length)).as_ptr().addr() % PAGE, 0);
            drop(before);
        }
    }

    #[test]
    fn a_large_block_starts_at_a_huge_page() {
        let arrays = Arrays::<f64, 2>::new([HUGE_PAGE / 8; 2]);
        assert_eq!(arrays.all()[0].as_ptr().addr() % HUGE_PAGE, 0);
    }

    #[test]
    fn arrays_keep_what_is_written_and_do_not_overlap() {
        let lengths = [1000, 1, 0, 513];
        let mut arrays = Arrays::<u64, 4>::new(lengths);
        for (i, array) in (1..).zip(arrays.all_mut()) {
            array.fill(i);
        }
        for ((i, array), length) in (1..).zip(arrays.all()).zip(lengths) {
            assert_eq!(array.len(), length);
            assert!(array.iter().all(|value| *value == i));
        }
    }

    #[test]
    fn a_text_is_unchanged() {
        for text in ["", "x", "größer als eine Seite ".repeat(300).as_str()] {
            assert_eq!(&*Text::new(text), text);
        }
    }
}
