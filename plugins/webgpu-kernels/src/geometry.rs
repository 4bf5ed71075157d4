//! Inside the plugin: how work is cut into workgroups.

/// Invocations of a workgroup, as written in every shader.
pub(crate) const WORKGROUP: u32 = 256;

/// Words per step of an invocation in the shaders that stream memory: a `vec4<f32>`.
pub(crate) const LANES: usize = 4;

/// How many groups take `items`, `per_group` each, where at most `limit` may be started: the shaders loop over the rest.
pub(crate) fn groups(items: usize, per_group: u32, limit: u32) -> u32 {
    let wanted = items.div_ceil(per_group as usize).max(1);
    u32::try_from(wanted).unwrap_or(u32::MAX).min(limit)
}

/// Elements rounded up to whole vectors.
pub(crate) fn padded(elements: usize) -> usize {
    elements.next_multiple_of(LANES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_gets_a_group_of_its_own_and_the_limit_holds() {
        for (items, expected) in [(1, 1), (256, 1), (257, 2), (65_535 * 256, 65_535), (usize::MAX, 65_535)] {
            assert_eq!(groups(items, WORKGROUP, 65_535), expected, "{items}");
        }
    }

    #[test]
    fn arrays_end_on_whole_vectors() {
        assert_eq!([1, 3, 4, 5].map(padded), [4, 4, 4, 8]);
    }
}
