//! What a model is given: the same for the same seed, whatever the runtime.

use crate::{
    network::{self, Network},
    stream::Stream,
};

/// Input of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// Numbers of words, item after item.
    Tokens(Vec<i64>),
    /// Numbers in [-1, 1): item after item, colour after colour, row after row.
    Pixels(Vec<f32>),
}

/// The words that begin and end every text of BERT's vocabulary. Those below 1,000 are not words.
const BEGIN: i64 = 101;
const END: i64 = 102;
const FIRST_WORD: u64 = 1_000;

impl Input {
    /// Input of `batch` items.
    pub(crate) fn random(network: &Network, batch: usize, seed: u64) -> Self {
        match network.input {
            network::Input::Tokens { length, vocabulary } => {
                let stream = Stream::new(seed, "input_ids");
                let words = vocabulary as u64 - FIRST_WORD;
                let token = |i: usize| match i % length {
                    0 => BEGIN,
                    at if at + 1 == length => END,
                    _ => (FIRST_WORD + stream.bits(i as u64) % words) as i64,
                };
                Self::Tokens((0..batch * length).map(token).collect())
            }
            network::Input::Image { size, .. } => {
                let stream = Stream::new(seed, "pixel_values");
                let count = batch * network::Input::CHANNELS * size * size;
                Self::Pixels((0..count as u64).map(|i| stream.signed(i)).collect())
            }
        }
    }

    /// The input of one item of a batch.
    pub(crate) fn item(&self, number: usize, batch: usize) -> Self {
        match self {
            Self::Tokens(all) => Self::Tokens(part(all, number, batch).to_vec()),
            Self::Pixels(all) => Self::Pixels(part(all, number, batch).to_vec()),
        }
    }
}

/// The numbers of one item.
pub(crate) fn part<T>(all: &[T], number: usize, batch: usize) -> &[T] {
    let each = all.len() / batch;
    &all[number * each..(number + 1) * each]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_begin_and_end_as_texts_do() {
        let network = Network::new(network::Input::Tokens { length: 4, vocabulary: 2_000 });
        let Input::Tokens(all) = Input::random(&network, 2, 1) else { panic!("these are tokens") };
        assert_eq!((all[0], all[3], all[4], all[7]), (101, 102, 101, 102));
        assert!([1, 2, 5, 6].iter().all(|i| (1_000..2_000).contains(&all[*i])));
        assert_ne!(all[1], all[5]);
        let Input::Tokens(second) = Input::random(&network, 2, 1).item(1, 2) else { panic!() };
        assert_eq!(second, all[4..]);
    }
}
