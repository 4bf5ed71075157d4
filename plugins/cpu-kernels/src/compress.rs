//! Inside the plugin: `compress`, packing and unpacking a block of bytes.

use dyno_sdk::prelude::*;
use flate2::{Compression, FlushCompress, FlushDecompress, Status};

use crate::{buffers::Arrays, check, records};

#[derive(Params)]
pub(crate) struct CompressParams {
    /// Length of the unpacked block
    #[param(default = 65_536, min = 1, max = 67_108_864, unit = "bytes")]
    n: usize,
    /// Format
    #[param(default = "lz4")]
    codec: Format,
    /// Effort of deflate, from fast to small; lz4 has one level
    #[param(default = 6, min = 1, max = 9)]
    level: u32,
    /// What is timed
    #[param(default = "compress")]
    direction: Direction,
    /// `json` is a log of requests made from the seed, `random` cannot be compressed
    #[param(default = "json")]
    data: Data,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Lz4,
    Deflate,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Direction {
    Compress,
    Decompress,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Data {
    Json,
    Random,
}

/// Packs or unpacks a block by the crates `lz4_flex` and `flate2` (in Rust: `miniz_oxide`)
#[benchmark(name = "compress", category = "data-processing", hardware = ["cpu"], tags = ["integer"],
    metrics = [metric("compression_ratio", unit = "", better = "higher")])]
pub(crate) struct Compress {
    codec: Codec,
    direction: Direction,
    /// The block as it is, packed, and a place for what comes out, large enough for both directions.
    blocks: Arrays<u8, 3>,
}

impl Benchmark for Compress {
    type Params = CompressParams;

    fn setup(params: CompressParams, context: &Context) -> Result<Self, Failure> {
        let mut rng = rng(context.seed());
        let plain = match params.data {
            Data::Json => records::text(&mut rng, params.n)?,
            Data::Random => {
                let mut bytes = vec![0; params.n];
                rng.fill(&mut bytes);
                bytes
            }
        };
        let mut codec = match params.codec {
            Format::Lz4 => Codec::Lz4,
            Format::Deflate => Codec::Deflate {
                packer: flate2::Compress::new(Compression::new(params.level), false),
                unpacker: flate2::Decompress::new(false),
            },
        };
        // Deflate stores what does not shrink, with 5 bytes for each block of at most 65535.
        let bound = lz4_flex::block::get_maximum_output_size(params.n).max(params.n + params.n / 1024 + 1024);
        let mut packed = vec![0; bound];
        let length = codec.pack(&plain, &mut packed)?;
        let mut blocks = Arrays::new([plain.len(), length, bound]);
        let [first, second, _] = blocks.all_mut();
        first.copy_from_slice(&plain);
        second.copy_from_slice(&packed[..length]);
        Ok(Self { codec, direction: params.direction, blocks })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        let Self { codec, blocks, .. } = self;
        let [plain, expected, output] = blocks.all_mut();
        let length = codec.pack(plain, output)?;
        let packed = output[..length].to_vec();
        if packed != expected {
            return Err(Failure::error("the same block was packed differently the second time"));
        }
        output.fill(0);
        let length = codec.unpack(&packed, output)?;
        check(&output[..length], plain)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { codec, direction, blocks } = self;
        let [plain, packed, output] = blocks.all_mut();
        let mut length = 0;
        for _ in 0..iterations {
            length = match direction {
                Direction::Compress => codec.pack(black_box(&*plain), black_box(&mut *output))?,
                Direction::Decompress => codec.unpack(black_box(&*packed), black_box(&mut *output))?,
            };
        }
        let bytes = iterations as f64 * plain.len() as f64;
        let checksum =
            check::spread(length, 8).fold(length as u64, |sum, i| sum.rotate_left(8) ^ u64::from(output[i]));
        Ok(Report::new().items(bytes).bytes(bytes).checksum(checksum))
    }

    fn process_results(&mut self, _: &[Sample], context: &Context) -> Result<(), Failure> {
        let [plain, packed, _] = self.blocks.all();
        context.metric("compression_ratio", plain.len() as f64 / packed.len() as f64);
        Ok(())
    }
}

/// A format, with the memory that it works in.
enum Codec {
    Lz4,
    Deflate { packer: flate2::Compress, unpacker: flate2::Decompress },
}

impl Codec {
    /// Packs into `output` and says how many bytes it took.
    fn pack(&mut self, plain: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
        match self {
            Self::Lz4 => Ok(lz4_flex::block::compress_into(plain, output)?),
            Self::Deflate { packer, .. } => {
                packer.reset();
                let status = packer.compress(plain, output, FlushCompress::Finish)?;
                ended("compress", status, packer.total_out())
            }
        }
    }

    /// Unpacks into `output` and says how many bytes came out.
    fn unpack(&mut self, packed: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
        match self {
            Self::Lz4 => Ok(lz4_flex::block::decompress_into(packed, output)?),
            Self::Deflate { unpacker, .. } => {
                unpacker.reset(false);
                let status = unpacker.decompress(packed, output, FlushDecompress::Finish)?;
                ended("decompress", status, unpacker.total_out())
            }
        }
    }
}

fn ended(what: &str, status: Status, length: u64) -> Result<usize, Failure> {
    if status == Status::StreamEnd {
        return Ok(length as usize);
    }
    Err(Failure::error(format!("deflate: {what} stopped after {length} bytes, before the end of the stream")))
}

/// A round trip gives back what went in.
fn check(back: &[u8], plain: &[u8]) -> Result<(), Failure> {
    check::same("length after a round trip", &back.len(), &plain.len())?;
    match (0..plain.len()).rev().find(|&i| back[i] != plain[i]) {
        None => Ok(()),
        Some(i) => check::same(&format!("byte {i} after a round trip"), &back[i], &plain[i]),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use dyno_sdk::testing;

    use super::*;

    fn params(n: usize, codec: Format, direction: Direction, data: Data) -> CompressParams {
        CompressParams { n, codec, level: 6, direction, data }
    }

    #[test]
    fn every_format_direction_and_data_is_right() {
        for codec in [Format::Lz4, Format::Deflate] {
            for direction in [Direction::Compress, Direction::Decompress] {
                for data in [Data::Json, Data::Random] {
                    for n in [1, 100, 65_536, 300_000] {
                        testing::run::<Compress>(params(n, codec, direction, data), 2).unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn deflate_is_a_stream_that_others_can_read() {
        let context = testing::context(1);
        let block = params(50_000, Format::Deflate, Direction::Compress, Data::Json);
        let compress = Compress::setup(block, &context).unwrap();
        let [plain, packed, _] = compress.blocks.all();
        let mut back = Vec::new();
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut back).unwrap();
        check(&back, plain).unwrap();
        assert!(packed.len() * 3 < plain.len());
    }

    #[test]
    fn a_broken_stream_and_a_wrong_byte_are_found() {
        let context = testing::context(1);
        for codec in [Format::Lz4, Format::Deflate] {
            let mut compress =
                Compress::setup(params(5000, codec, Direction::Decompress, Data::Json), &context).unwrap();
            let [plain, packed, output] = compress.blocks.all();
            let mut cut = Arrays::new([plain.len(), packed.len() / 2, output.len()]);
            let [_, half, _] = cut.all_mut();
            half.copy_from_slice(&packed[..half.len()]);
            compress.blocks = cut;
            assert!(compress.execute(1).is_err());
        }
        assert!(check(b"abd", b"abc").unwrap_err().message().starts_with("byte 2"));
        assert!(check(b"ab", b"abc").is_err());
    }
}
