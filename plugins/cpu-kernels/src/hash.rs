//! Inside the plugin: `hash`, digests of a block of bytes.

use dyno_sdk::prelude::*;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::{buffers::Arrays, check};

#[derive(Params)]
pub(crate) struct HashParams {
    /// Length of the block
    #[param(default = 65_536, min = 1, max = 536_870_912, unit = "bytes")]
    n: usize,
    /// `blake3` and `sha256` are cryptographic, `xxh3` (64 bits) is not
    #[param(default = "blake3")]
    algorithm: Algorithm,
}

#[derive(ParamEnum, Clone, Copy, PartialEq, Debug)]
pub(crate) enum Algorithm {
    Blake3,
    Sha256,
    Xxh3,
}

/// Hashes a block by the crates `blake3`, `sha2` and `xxhash-rust`, on one thread
#[benchmark(name = "hash", category = "data-processing", hardware = ["cpu"], tags = ["integer"])]
pub(crate) struct Hash {
    algorithm: Algorithm,
    input: Arrays<u8, 1>,
}

impl Benchmark for Hash {
    type Params = HashParams;

    fn setup(params: HashParams, context: &Context) -> Result<Self, Failure> {
        let mut input = Arrays::new([params.n]);
        let [block] = input.all_mut();
        rng(context.seed()).fill(block);
        Ok(Self { algorithm: params.algorithm, input })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        for (text, expected) in vectors(self.algorithm) {
            check::same(
                &format!("digest of {text:?}"),
                &*hex(&digest(self.algorithm, text.as_bytes())),
                expected,
            )?;
        }
        let [input] = self.input.all();
        let whole = digest(self.algorithm, input);
        check::same("digest of the input in one piece", &whole, &in_pieces(self.algorithm, input))
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let [input] = self.input.all();
        // The choice is made outside the loop; what stays inside is the hash and nothing else.
        let checksum = match self.algorithm {
            Algorithm::Blake3 => {
                repeat(iterations, input, blake3::hash).map_or(0, |out| start(out.as_bytes()))
            }
            Algorithm::Sha256 => repeat(iterations, input, Sha256::digest).map_or(0, |out| start(&out)),
            Algorithm::Xxh3 => repeat(iterations, input, xxh3_64).unwrap_or(0),
        };
        let bytes = iterations as f64 * input.len() as f64;
        Ok(Report::new().items(bytes).bytes(bytes).checksum(checksum))
    }
}

/// Hashes the input so many times and returns the last digest.
#[inline(always)]
fn repeat<'a, T>(iterations: u64, input: &'a [u8], hash: impl Fn(&'a [u8]) -> T) -> Option<T> {
    let mut last = None;
    for _ in 0..iterations {
        last = Some(black_box(hash(black_box(input))));
    }
    last
}

/// The first eight bytes of a digest.
fn start(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn digest(algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Blake3 => blake3::hash(input).as_bytes().to_vec(),
        Algorithm::Sha256 => Sha256::digest(input).to_vec(),
        Algorithm::Xxh3 => xxh3_64(input).to_be_bytes().to_vec(),
    }
}

/// The streaming door of the same crates, with pieces that fit no block size.
fn in_pieces(algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
    let pieces = || input.chunks(1013);
    match algorithm {
        Algorithm::Blake3 => {
            let mut state = blake3::Hasher::new();
            pieces().for_each(|piece| _ = state.update(piece));
            state.finalize().as_bytes().to_vec()
        }
        Algorithm::Sha256 => {
            let mut state = Sha256::new();
            pieces().for_each(|piece| state.update(piece));
            state.finalize().to_vec()
        }
        Algorithm::Xxh3 => {
            let mut state = Xxh3::new();
            pieces().for_each(|piece| state.update(piece));
            state.digest().to_be_bytes().to_vec()
        }
    }
}

/// Published digests: those of the BLAKE3 paper's test vectors, of FIPS 180-4, and of xxHash's own tests.
fn vectors(algorithm: Algorithm) -> &'static [(&'static str, &'static str)] {
    match algorithm {
        Algorithm::Blake3 => &[
            ("", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            ("abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ],
        Algorithm::Sha256 => &[
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ],
        Algorithm::Xxh3 => &[("", "2d06800538d394c2")],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_algorithm_passes_its_published_vectors_at_every_length() {
        for algorithm in [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Xxh3] {
            for n in [1, 63, 64, 240, 241, 1024, 5000, 200_000] {
                let report = testing::run::<Hash>(HashParams { n, algorithm }, 2).unwrap();
                assert_eq!(report.checksum(0), Report::new().items(2.0 * n as f64).bytes(2.0 * n as f64));
            }
        }
    }

    #[test]
    fn the_checksum_is_the_start_of_the_digest() {
        for algorithm in [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Xxh3] {
            let mut hash = Hash::setup(HashParams { n: 77, algorithm }, &testing::context(1)).unwrap();
            let report = hash.execute(3).unwrap();
            let [input] = hash.input.all();
            let first = start(&digest(algorithm, input));
            assert_eq!(report, Report::new().items(231.0).bytes(231.0).checksum(first));
        }
    }
}
