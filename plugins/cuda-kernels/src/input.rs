//! Inside the plugin: random input from the seed of the case, and the bound on what a case may take.

use dyno_sdk::prelude::*;

use crate::real::Real;

/// The most that the buffers of one case may take on the host [bytes]: input and reference are made there.
const HOST_LIMIT: f64 = 16.0 * GIB;

const GIB: f64 = (1u64 << 30) as f64;

/// `count` numbers in [-1, 1).
pub(crate) fn signed<T: Real>(rng: &mut Rng, count: usize) -> Vec<T> {
    (0..count).map(|_| T::of(rng.f64() * 2.0 - 1.0)).collect()
}

pub(crate) fn bytes(rng: &mut Rng, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rng.fill(&mut bytes);
    bytes
}

/// Refuses parameters that are in range one by one but too large together. `bytes` is a float so that the product of
/// several parameters cannot overflow.
pub(crate) fn fits(what: &str, bytes: f64) -> Result<(), Failure> {
    if bytes <= HOST_LIMIT {
        return Ok(());
    }
    Err(Failure::error(format!(
        "{what} needs {:.1} GiB of buffers; at most {:.0} GiB are allowed, so choose smaller parameters",
        bytes / GIB,
        HOST_LIMIT / GIB
    )))
}

/// A number of bytes, for people.
pub(crate) fn size(bytes: usize) -> String {
    match bytes as f64 {
        b if b >= GIB => format!("{:.2} GiB", b / GIB),
        b if b >= GIB / 1024.0 => format!("{:.1} MiB", b / GIB * 1024.0),
        b => format!("{b} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_the_seed_alone() {
        let one: Vec<f32> = signed(&mut rng(1), 1000);
        assert_eq!(one, signed::<f32>(&mut rng(1), 1000));
        assert_ne!(one, signed::<f32>(&mut rng(2), 1000));
        assert!(one.iter().all(|x| (-1.0..1.0).contains(x)));
        assert_eq!(bytes(&mut rng(1), 9), bytes(&mut rng(1), 9));
    }

    #[test]
    fn too_much_is_refused_with_both_numbers() {
        assert!(fits("softmax", HOST_LIMIT).is_ok());
        let failure = fits("softmax", 2.0 * HOST_LIMIT).unwrap_err();
        assert!(
            failure.message().starts_with("softmax needs 32.0 GiB of buffers; at most 16 GiB"),
            "{failure}"
        );
        assert_eq!(size(100), "100 bytes");
        assert_eq!(size(3 << 20), "3.0 MiB");
        assert_eq!(size(5 << 30), "5.00 GiB");
    }
}
