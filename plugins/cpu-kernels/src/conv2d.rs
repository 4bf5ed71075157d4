//! Inside the plugin: `conv2d`, a layer of a convolutional network, as a matrix product over shifted images.

use dyno_sdk::prelude::*;

use crate::{buffers::Arrays, check, gemm::multiply, input, matmul_naive::Shape, team::Parallelism};

/// Width and height of the window.
const WINDOW: usize = 3;

#[derive(Params)]
pub(crate) struct Conv2dParams {
    /// Images
    #[param(default = 1, min = 1, max = 64, unit = "images")]
    batch: usize,
    /// Channels of an input image
    #[param(default = 32, min = 1, max = 1024)]
    channels_in: usize,
    /// Channels of an output image
    #[param(default = 32, min = 1, max = 1024)]
    channels_out: usize,
    /// Height of both images
    #[param(default = 56, min = 1, max = 2048, unit = "pixels")]
    height: usize,
    /// Width of both images
    #[param(default = 56, min = 1, max = 2048, unit = "pixels")]
    width: usize,
}

/// 3 × 3 convolution, stride 1, zero padding 1, NCHW, f32: shifted copies (im2col), then a product by the crate `gemm`
#[benchmark(name = "conv2d", category = "neural-network", hardware = ["cpu"], tags = ["compute", "layer"])]
pub(crate) struct Conv2d {
    layer: Layer,
    /// Images, weights, one image copied once for each place of the window (its columns), and output.
    arrays: Arrays<f32, 4>,
}

#[derive(Clone, Copy)]
struct Layer {
    batch: usize,
    inward: usize,
    outward: usize,
    height: usize,
    width: usize,
}

impl Benchmark for Conv2d {
    type Params = Conv2dParams;

    fn setup(params: Conv2dParams, context: &Context) -> Result<Self, Failure> {
        let Conv2dParams { batch, channels_in: inward, channels_out: outward, height, width } = params;
        let layer = Layer { batch, inward, outward, height, width };
        let (pixels, depth) = (height as f64 * width as f64, (inward * WINDOW * WINDOW) as f64);
        let images = batch as f64 * pixels * (inward + outward) as f64;
        input::fits("conv2d", 4.0 * (images + depth * pixels + depth * outward as f64))?;
        let mut rng = rng(context.seed());
        let mut arrays = Arrays::new([
            batch * inward * layer.pixels(),
            outward * layer.depth(),
            layer.depth() * layer.pixels(),
            batch * outward * layer.pixels(),
        ]);
        let [images, weights, ..] = arrays.all_mut();
        input::signed(&mut rng, images);
        input::signed(&mut rng, weights);
        Ok(Self { layer, arrays })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.execute(1)?;
        let [images, weights, _, output] = self.arrays.all();
        check(self.layer, images, weights, output)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { layer, arrays } = self;
        let [images, weights, columns, output] = arrays.all_mut();
        for _ in 0..iterations {
            convolve(*layer, black_box(&*images), black_box(&*weights), columns, black_box(&mut *output));
        }
        let images = iterations as f64 * layer.batch as f64;
        let written = images * (layer.outward * layer.pixels()) as f64;
        let read = images * (layer.inward * layer.pixels()) as f64 + iterations as f64 * weights.len() as f64;
        Ok(Report::new()
            .items(images)
            .bytes(4.0 * (written + read))
            .flop(2.0 * written * layer.depth() as f64)
            .checksum(check::checksum(output)))
    }
}

impl Layer {
    fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Terms of the sum that makes one output pixel.
    fn depth(self) -> usize {
        self.inward * WINDOW * WINDOW
    }
}

fn convolve(layer: Layer, images: &[f32], weights: &[f32], columns: &mut [f32], output: &mut [f32]) {
    let shape = Shape { m: layer.outward, n: layer.pixels(), k: layer.depth() };
    let images = images.chunks_exact(layer.inward * layer.pixels());
    for (image, output) in images.zip(output.chunks_exact_mut(layer.outward * layer.pixels())) {
        shift(layer, image, columns);
        multiply(shape, weights, columns, output, Parallelism::None);
    }
}

/// Fills row `(channel, ky, kx)` of `columns` with that channel, shifted by the place in the window; zero outside.
fn shift(layer: Layer, image: &[f32], columns: &mut [f32]) {
    let Layer { height, width, .. } = layer;
    let mut targets = columns.chunks_exact_mut(layer.pixels());
    for channel in image.chunks_exact(layer.pixels()) {
        for ky in 0..WINDOW {
            for (kx, target) in (0..WINDOW).zip(&mut targets) {
                for (y, row) in target.chunks_exact_mut(width).enumerate() {
                    // One row and one column before the image are padding, hence `+ 1` here and `- 1` below.
                    match (y + ky).checked_sub(1).filter(|y| *y < height) {
                        Some(y) => shift_row(&channel[y * width..][..width], kx, row),
                        None => row.fill(0.0),
                    }
                }
            }
        }
    }
}

fn shift_row(from: &[f32], kx: usize, to: &mut [f32]) {
    let width = from.len();
    match kx {
        0 => {
            to[0] = 0.0;
            to[1..].copy_from_slice(&from[..width - 1]);
        }
        1 => to.copy_from_slice(from),
        _ => {
            to[..width - 1].copy_from_slice(&from[1..]);
            to[width - 1] = 0.0;
        }
    }
}

/// The definition in `f64`, at the corners and at pixels spread over all images and channels.
fn check(layer: Layer, images: &[f32], weights: &[f32], output: &[f32]) -> Result<(), Failure> {
    let Layer { inward, outward, height, width, .. } = layer;
    let pixel = |image: usize, channel: usize, y: usize, x: usize| {
        let mut sum = 0.0;
        for from in 0..inward {
            for (ky, kx) in (0..WINDOW).flat_map(|ky| (0..WINDOW).map(move |kx| (ky, kx))) {
                let (y, x) = ((y + ky).wrapping_sub(1), (x + kx).wrapping_sub(1));
                if y < height && x < width {
                    let weight = weights[((channel * inward + from) * WINDOW + ky) * WINDOW + kx];
                    sum += f64::from(weight)
                        * f64::from(images[((image * inward + from) * height + y) * width + x]);
                }
            }
        }
        sum
    };
    let depth = layer.depth() as f64;
    let tolerance = f64::from(f32::EPSILON) * depth.sqrt() * depth.sqrt().max(8.0);
    let corners = [0, width - 1, (height - 1) * width, height * width - 1];
    // Bounded in work, not in pixels: a deep layer costs more for each.
    let wanted = (4_000_000 / layer.depth()).max(64);
    for index in corners.into_iter().chain(check::spread(output.len(), wanted)) {
        let (plane, place) = (index / layer.pixels(), index % layer.pixels());
        let (image, channel, y, x) = (plane / outward, plane % outward, place / width, place % width);
        let what = || format!("image {image}, channel {channel}, pixel ({y}, {x})");
        check::close(what, f64::from(output[index]), pixel(image, channel, y, x), tolerance)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    fn params(
        batch: usize,
        channels_in: usize,
        channels_out: usize,
        height: usize,
        width: usize,
    ) -> Conv2dParams {
        Conv2dParams { batch, channels_in, channels_out, height, width }
    }

    #[test]
    fn every_shape_is_right() {
        for (batch, inward, outward, height, width) in
            [(1, 1, 1, 1, 1), (1, 1, 2, 1, 9), (2, 3, 4, 5, 1), (3, 2, 5, 8, 7), (1, 16, 16, 20, 30)]
        {
            testing::run::<Conv2d>(params(batch, inward, outward, height, width), 2).unwrap();
        }
    }

    #[test]
    fn a_box_filter_counts_its_neighbours() {
        let layer = Layer { batch: 1, inward: 1, outward: 1, height: 3, width: 3 };
        let mut output = [9.0; 9];
        convolve(layer, &[1.0; 9], &[1.0; 9], &mut [0.0; 81], &mut output);
        assert_eq!(output, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
    }

    #[test]
    fn a_wrong_pixel_is_found() {
        let mut layer = Conv2d::setup(params(2, 3, 4, 6, 5), &testing::context(1)).unwrap();
        layer.execute(1).unwrap();
        let [images, weights, _, output] = layer.arrays.all_mut();
        for index in 0..output.len() {
            output[index] += 0.01;
            assert!(check(layer.layer, images, weights, output).is_err(), "{index}");
            output[index] -= 0.01;
        }
    }

    #[test]
    fn sizes_that_multiply_to_too_much_are_refused() {
        let failure = testing::run::<Conv2d>(params(64, 1024, 1024, 2048, 2048), 1).unwrap_err();
        assert!(failure.message().starts_with("conv2d needs"), "{failure}");
    }
}
