//! Tests of framing against good and hostile bytes.

use proptest::prelude::*;

use super::*;

#[test]
fn a_message_survives_the_wire() {
    let request =
        Request::Sample(Quota { min_samples: 3, max_samples: 20, budget_ns: 1_000_000, retake: true });
    let frame = encode(&request).unwrap();
    let (payload, length) = split(&frame).unwrap().unwrap();
    assert_eq!(length, frame.len());
    assert_eq!(decode::<Request>(payload).unwrap(), request);
    assert_eq!(read::<Request>(&mut frame.as_slice()).unwrap(), request);
}

#[test]
fn an_announced_length_over_the_limit_is_refused_before_it_is_allocated() {
    let frame = u32::MAX.to_le_bytes();
    assert!(matches!(split(&frame), Err(FrameError::TooLong(_))));
    assert!(matches!(read::<Request>(&mut frame.as_slice()), Err(FrameError::TooLong(_))));
}

#[test]
fn the_end_of_the_stream_is_clean_only_between_frames() {
    assert!(matches!(read::<Request>(&mut [].as_slice()), Err(FrameError::Closed)));
    assert!(matches!(read::<Request>(&mut [1, 0].as_slice()), Err(FrameError::Broken(_))));
    assert!(matches!(read::<Request>(&mut [9, 0, 0, 0, b'{'].as_slice()), Err(FrameError::Broken(_))));
}

#[test]
fn a_number_that_is_not_finite_is_no_message() {
    let payload = br#"{"reply":"progress","fraction":null}"#;
    assert!(matches!(decode::<Reply>(payload), Err(FrameError::Malformed(_))));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = split(&bytes);
        let _ = decode::<Reply>(&bytes);
        let _ = read::<Reply>(&mut bytes.as_slice());
    }
}
